// Answer questions about IAM policies: read JSON from stdin, print JSON. Run this script in .local/node.
//
// The input has `policies` by id, with their `kind`, and `questions` that name policies by id. Each answer has `allowed`,
// the statements that allow, deny or limit, and `error` if the question can't be asked.
import { readFileSync } from "node:fs";
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
const known = (text) => text.replaceAll(/token\.actions\.githubusercontent\.com:(aud|sub)"/g, 'accounts.google.com:$1"');
const readable = (value) => JSON.parse(known(starless(JSON.stringify(value))));

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
const glob = (pattern) => new RegExp(
  `^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`);
const resolved = (resources, asked) => resources && listed(resources).map((each) =>
  inFirstPart(each) && glob(each).test(asked) ? asked : each);

function policyFor(id, asked) {
  if (!hasSuch[id] || asked === "*") return validated[id];
  const document = structuredClone(validated[id].policyDocument);
  for (const each of listed(document.Statement)) {
    if (each.Resource) each.Resource = resolved(each.Resource, asked);
    if (each.NotResource) each.NotResource = resolved(each.NotResource, asked);
  }
  return { ...validated[id], policyDocument: document };
}

const named = (ids, asked) => ids.map((id) => ({ name: id, policy: policyFor(id, asked) }));
// `index` counts from 1, as the simulator does.
const statements = (found, id) => (found ?? []).map(({ policyId, statement }) => ({
  policy: policyId ?? id, index: statement.index(), sid: statement.sid() ?? null }));

async function answer(question) {
  const { principal, action, account, context, identity, boundary, resourcePolicy } = question;
  const asked = question.resource === "*" ? "*" : question.resource.replaceAll("*", STAR);
  const found = await runSimulation({
    request: {
      principal: principal ?? anonymousPrincipal,
      action,
      resource: { resource: asked, accountId: account },
      contextVariables: readable(context),
    },
    identityPolicies: named(identity, asked),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy ? { resourcePolicy: policyFor(resourcePolicy, asked) } : {}),
    ...(boundary ? { permissionBoundaryPolicies: named([boundary], asked) } : {}),
  }, {});
  if (found.resultType !== "single") return { error: JSON.stringify(found.errors ?? found.resultType) };
  const { analysis, ignoredContextKeys } = found.result;
  if (ignoredContextKeys.length) return { error: `the simulator ignores ${ignoredContextKeys.join(", ")}` };
  const parts = [
    [analysis.identityAnalysis], [analysis.permissionBoundaryAnalysis], [analysis.resourceAnalysis, resourcePolicy]];
  return {
    allowed: analysis.result === "Allowed",
    allowing: parts.flatMap(([each, id]) => statements(each?.allowStatements, id)),
    denying: parts.flatMap(([each, id]) => statements(each?.denyStatements, id)),
    blocked_by: analysis.blockedBy ?? [],
  };
}

const faults = {};
for (const [id, { errors }] of Object.entries(validated)) if (errors.length) faults[id] = errors;
const answers = [];
for (const question of questions) answers.push(await answer(question));
console.log(JSON.stringify({ faults, answers }));
