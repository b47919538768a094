#!/usr/bin/env bash
# Set up branches and GitHub environments as docs/branching.md describes them. Run this script as an administrator of
# the repository:
#
#   .github/branch-protection.sh acme/slipway acme/slipway-approvers
#
# The team approves deployments to production, and only the team pushes branches `debug/…`. So the team needs write access
# to the repository, and only people may be in it: a bot in the team could approve. You can run the script again: it sets
# the same settings. It skips branches that do not exist yet, and prints their names.
set -euo pipefail

repository=${1:?the repository is missing: run .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
team=${2:?the team of approvers is missing: run .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
branches=(development preproduction production)
failed=0

# lacks RULE: say that GitHub did not take a rule. Private repositories have some rules only with a paid plan.
lacks() {
    echo "GitHub did not take this rule, so it does not hold: $1. See \`Plans of GitHub\` in docs/branching.md" >&2
    failed=1
}

# put PATH [METHOD] [FIELD]: send the body from standard input to this path of the repository's API, and print a field of
# the answer
put() {
    echo "$1" >&2
    gh api --method "${2:-PUT}" "repos/$repository/$1" --input - --jq "${3:-empty}"
}

# environment NAME REVIEWERS BRANCH…: create a GitHub environment that only jobs on these branches may use
environment() {
    local name=$1 reviewers=$2 bypass
    shift 2
    local branches_only='"deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true}'
    if ! bypass=$(
        put "environments/$name" PUT .can_admins_bypass <<END
{"reviewers": $reviewers, "prevent_self_review": true, "can_admins_bypass": false, $branches_only}
END
    ); then
        [ "$reviewers" = '[]' ] || lacks "somebody approves jobs in the environment $name"
        if ! put "environments/$name" PUT .can_admins_bypass <<<"{$branches_only}" >/dev/null; then
            lacks "only certain branches may use the environment $name"
            return
        fi
        bypass=false
    fi
    if [ "$bypass" != false ]; then
        echo "Administrators can still skip the rules of the environment $name: forbid it in the settings on GitHub" >&2
        failed=1
    fi
    local policies="repos/$repository/environments/$name/deployment-branch-policies" there branch
    there=$(gh api "$policies" --jq '.branch_policies[].name')
    for branch in "$@"; do
        grep -qxF "$branch" <<<"$there" || gh api --method POST "$policies" -f "name=$branch" >/dev/null
    done
}

team_id=$(gh api "orgs/${team%/*}/teams/${team#*/}" --jq .id)
approvers='[{"type": "Team", "id": '$team_id'}]'

# Work starts from `development`, and schedules run the workflows of this branch. Only merge commits are allowed: a
# squash would separate the branches' histories.
gh api --method PATCH "repos/$repository" -f default_branch=development -F allow_merge_commit=true \
    -F allow_squash_merge=false -F allow_rebase_merge=false >/dev/null

# A fork's pull request brings its own workflow files. Somebody must approve each run, not only an author's first one.
if ! put actions/permissions/fork-pr-contributor-approval <<<'{"approval_policy": "all_external_contributors"}'; then
    echo "GitHub did not take the rule for forks. If the repository is private, run no workflows of forks at all" >&2
    failed=1
fi
# A workflow's own token approves nothing, and writes only what its workflow says.
put actions/permissions/workflow <<END
{"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false}
END

protected=true
for branch in "${branches[@]}"; do
    if ! gh api "repos/$repository/branches/$branch" --silent 2>/dev/null; then
        echo "There is no branch $branch yet. Create the branch, then run this script again to protect it" >&2
        continue
    fi
    # Only `development` requires branches that are up to date. A promotion's branch lacks the merge commits of earlier
    # promotions, and the check `Promotes the tested tree` compares trees instead.
    strict=false
    [ "$branch" = development ] && strict=true
    put "branches/$branch/protection" <<END || { lacks "the branch $branch is protected"; protected=false; }
{
  "required_status_checks": {"strict": $strict, "contexts": ["All checks passed", "No breaking API change"]},
  "required_pull_request_reviews": {
    "required_approving_review_count": 1,
    "require_code_owner_reviews": true,
    "dismiss_stale_reviews": true,
    "bypass_pull_request_allowances": {"users": [], "teams": [], "apps": []},
    "require_last_push_approval": true
  },
  "required_conversation_resolution": true,
  "enforce_admins": true,
  "restrictions": null,
  "allow_force_pushes": false,
  "allow_deletions": false
}
END
done
# GitHub deletes a branch after its merge, unless the branch is protected. Branches of environments must stay.
gh api --method PATCH "repos/$repository" -F "delete_branch_on_merge=$protected" >/dev/null

# Only the team may create, push or delete these branches: a workspace of production can be made from them. A ruleset is
# addressed by its id: https://docs.github.com/en/rest/repos/rules.
ruleset='Debug branches'
id=$(gh api "repos/$repository/rulesets?includes_parents=false&per_page=100" \
    --jq ".[] | select(.name == \"$ruleset\") | .id") || id=''
put "rulesets${id:+/$id}" "$([ -n "$id" ] && echo PUT || echo POST)" <<END || lacks "only the team pushes debug/…"
{
  "name": "$ruleset",
  "target": "branch",
  "enforcement": "active",
  "bypass_actors": [{"actor_id": $team_id, "actor_type": "Team", "bypass_mode": "always"}],
  "conditions": {"ref_name": {"include": ["refs/heads/debug/*", "refs/heads/debug/**/*"], "exclude": []}},
  "rules": [{"type": "creation"}, {"type": "update"}, {"type": "deletion"}]
}
END

environment artifact '[]' "${branches[@]}"
for branch in "${branches[@]}"; do
    reviewers='[]'
    [ "$branch" = production ] && reviewers=$approvers
    environment "$branch" "$reviewers" "$branch"
    # A debug workspace of production may use production's data. So somebody else has to approve the job that creates
    # the workspace.
    environment "$branch-workspaces" "$reviewers" development
    environment "$branch-debug" "$reviewers" development
    # Daily jobs must not wait for a reviewer.
    environment "$branch-verify" '[]' development
    environment "$branch-reap" '[]' development
    environment "$branch-reap-debug" '[]' development
done
exit "$failed"
