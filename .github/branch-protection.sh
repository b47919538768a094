#!/usr/bin/env bash
# Sets what docs/branching.md says of branches and GitHub environments, as an administrator of the repository:
#
#   .github/branch-protection.sh acme/slipway acme/slipway-approvers
#
# The team approves what goes to production. Running it again changes nothing but what is new: a branch that is not there
# yet is left out, and named.
set -euo pipefail

repository=${1:?say which repository: .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
team=${2:?say which team approves deployments to production: .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
branches=(development preproduction production)

# put PATH: a body from standard input
put() {
    echo "$1" >&2
    gh api --method PUT "repos/$repository/$1" --input - >/dev/null
}

# environment NAME REVIEWERS BRANCH…: only these branches' jobs get into it
environment() {
    local name=$1 reviewers=$2
    shift 2
    put "environments/$name" <<END
{
  "reviewers": $reviewers,
  "prevent_self_review": true,
  "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true}
}
END
    local policies="repos/$repository/environments/$name/deployment-branch-policies" there branch
    there=$(gh api "$policies" --jq '.branch_policies[].name')
    for branch in "$@"; do
        grep -qxF "$branch" <<<"$there" || gh api --method POST "$policies" -f "name=$branch" >/dev/null
    done
}

approvers=$(gh api "orgs/${team%/*}/teams/${team#*/}" --jq '[{type: "Team", id: .id}]')

# Work starts from it, and schedules run it. Merge commits alone: a squash would be another commit of what was tested.
gh api --method PATCH "repos/$repository" -f default_branch=development -F allow_merge_commit=true \
    -F allow_squash_merge=false -F allow_rebase_merge=false -F delete_branch_on_merge=true >/dev/null

for branch in "${branches[@]}"; do
    if ! gh api "repos/$repository/branches/$branch" --silent 2>/dev/null; then
        echo "There is no branch $branch to protect yet: run this again once there is" >&2
        continue
    fi
    # A promotion's branch lacks the merges of promotions before it, and needs none: `Promotes what was tested` sees to it.
    strict=false
    [ "$branch" = development ] && strict=true
    put "branches/$branch/protection" <<END
{
  "required_status_checks": {"strict": $strict, "contexts": ["Checked"]},
  "required_pull_request_reviews": {
    "required_approving_review_count": 1,
    "require_code_owner_reviews": true,
    "dismiss_stale_reviews": true,
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

environment artifact '[]' "${branches[@]}"
for branch in "${branches[@]}"; do
    reviewers='[]'
    [ "$branch" = production ] && reviewers=$approvers
    environment "$branch" "$reviewers" "$branch"
    # A debug copy of production has its data: somebody else agrees to it.
    environment "$branch-workspaces" "$reviewers" development
    # What runs every day waits for nobody.
    environment "$branch-verify" '[]' development
    environment "$branch-reap" '[]' development
done
