"""`make walls`: ask what each principal may do under the rendered IAM policies, and compare with a table.

- rows/ has the questions, a file for each kind of principal: start reading there;
- places.py names the resources, principals.py the principals, and table.py makes questions of a row;
- rendered.py takes the policies from mocked plans, and evaluator.py asks a simulator of IAM, in one Node process;
- reference.py compares statements with AWS's Service Authorization Reference, regions.py with the regions of an
  environment's resources, and sizes.py with AWS's limits;
- complete.py requires a question for each action, role and function, and mutations.py a question against each fault.
"""
