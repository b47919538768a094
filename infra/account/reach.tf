# An environment has three kinds of targets, and each role reaches one of them. Names and tags tell the kinds apart:
#
#   kind         name on AWS                              tag `workspace`
#   environment  <system>-<environment>…                  default
#   workspaces   <system>-<environment>-w-<workspace>…    w-<workspace>    previews and personal workspaces
#   debug        <system>-<environment>-d-<workspace>…    d-<workspace>    may see the environment's data
#
# The environment's own resources never have a name that begins like a workspace's. So a role for workspaces can't reach
# the environment. docs/security.md says what each role can do.

locals {
  arn_account = "${var.region}:${var.account_id}"

  # For each kind: the beginning of its names, its value of the tag `workspace`, and the end of the names of its
  # boundary and its database logins.
  kinds = {
    environment = { infix = "", tag = "default", boundary = "", login = "" }
    workspaces  = { infix = "-w-", tag = "w-*", boundary = "-workspaces", login = "_w" }
    debug       = { infix = "-d-", tag = "d-*", boundary = "-debug", login = "_d" }
  }

  # Each pair of an environment and a kind, such as development-debug.
  targets = { for pair in setproduct(keys(var.environments), keys(local.kinds)) : join("-", pair) => merge(local.kinds[pair[1]], {
    environment = pair[0]
    kind        = pair[1]
    name        = "${var.system}-${pair[0]}${local.kinds[pair[1]].infix}"
  }) }

  # For each role: the beginning of the names that it reaches, and conditions on tags. An account may have several
  # systems, each from a copy of this repository. `own` is for a resource that
  # exists, and `new` for a resource that the request creates. `own_or_untagged` is for a resource that AWS makes without
  # tags, or whose tags do not count yet. Two more are for requests that set tags: `new_or_own` lets a role tag a resource
  # without tags as its own, and `own_or_new` change other tags of its own resources.
  names = { for key, applier in local.appliers : key => local.targets["${applier.environment}-${applier.kind}"].name }
  tags  = { for key, applier in local.appliers : key => local.kinds[applier.kind].tag }

  own = { for key, applier in local.appliers : key => {
    StringEquals = { "aws:ResourceTag/system" = var.system, "aws:ResourceTag/environment" = applier.environment }
    StringLike   = { "aws:ResourceTag/workspace" = local.tags[key] }
  } }
  new = { for key, applier in local.appliers : key => {
    StringEquals = { "aws:RequestTag/system" = var.system, "aws:RequestTag/environment" = applier.environment }
    StringLike   = { "aws:RequestTag/workspace" = local.tags[key] }
  } }
  own_or_untagged = { for key, own in local.own : key => {
    StringEqualsIfExists = own.StringEquals
    StringLikeIfExists   = own.StringLike
  } }
  new_or_own = { for key, new in local.new : key => merge(new, local.own_or_untagged[key]) }
  own_or_new = { for key, applier in local.appliers : key => merge(local.own[key], {
    StringEqualsIfExists = { "aws:RequestTag/system" = var.system, "aws:RequestTag/environment" = applier.environment }
    StringLikeIfExists   = { "aws:RequestTag/workspace" = local.tags[key] }
  }) }
}
