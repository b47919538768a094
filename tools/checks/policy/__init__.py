"""`make policy`: judge infra/ by the sentences of infra/policy, and the sentences by plans that violate them.

- plans.py makes the plans, as `terraform test` does with a mocked provider;
- facts.py writes a plan down as the sentences read it;
- judge.py has terraform-compliance judge;
- mutants.py lists what each sentence must catch.
"""
