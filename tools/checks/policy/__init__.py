"""`make policy`: check infra/ against the scenarios of infra/policy, and require that each scenario finds violations.

- plans.py makes the plans with `terraform test` and a mocked provider;
- facts.py converts a plan to the form that the scenarios read;
- judge.py runs terraform-compliance;
- mutants.py and sources.py list the changes of plans and of sources that each scenario must catch.
"""
