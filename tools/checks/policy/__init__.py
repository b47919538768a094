"""`make policy`: check infra/ against the scenarios of infra/policy, and require that each scenario finds violations.

- plans.py makes the plans with `terraform test` and a mocked provider;
- facts.py converts a plan to the form that the scenarios read;
- judge.py checks plans and mutants;
- compliance.py runs terraform-compliance, and libraries.py imports what it needs;
- mutants.py and sources.py list the changes of plans and of sources that each scenario must catch.
"""
