mock_provider "aws" {
  source = "../mocks"
}

variables {
  name            = "service-production"
  account_id      = "210987654321"
  api_domain      = "api1.execute-api.eu-central-1.amazonaws.com"
  api_stage       = "production"
  connect_sources = ["https://service-production-fbc80910.auth.eu-central-1.amazoncognito.com"]
}

run "a_site_without_a_domain" {
  # Only CloudFront reads the bucket.
  assert {
    condition     = aws_s3_bucket.this.bucket == "service-production-fbc80910"
    error_message = "The bucket's name must contain environment and account, so that it is unique in the world."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
      one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced",
    ])
    error_message = "Nothing may make the bucket public."
  }

  assert {
    condition = { for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid => jsonencode([statement.Effect, statement.Principal, statement.Action, statement.Condition]) } == {
      CloudFrontReads = jsonencode(["Allow", { Service = "cloudfront.amazonaws.com" }, "s3:GetObject", { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.this.arn } }])
      TlsOnly         = jsonencode(["Deny", "*", "s3:*", { Bool = { "aws:SecureTransport" = "false" } }])
    }
    error_message = "Only this distribution may read the bucket, and nobody may without TLS."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "The bucket must be versioned and encrypted."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days == 30
    error_message = "Old versions must be kept for 30 days."
  }

  # Site and API under one address.
  assert {
    condition = { for origin in aws_cloudfront_distribution.this.origin : origin.origin_id => join("", compact([origin.domain_name, origin.origin_path])) } == {
      site = "mocked.s3.eu-central-1.amazonaws.com"
      api  = "api1.execute-api.eu-central-1.amazonaws.com/production"
    }
    error_message = "The origins must be the bucket and the API's stage."
  }

  assert {
    condition     = [for origin in aws_cloudfront_distribution.this.origin : one(origin.custom_origin_config).origin_protocol_policy if origin.origin_id == "api"] == ["https-only"]
    error_message = "CloudFront must call the API with TLS."
  }

  assert {
    condition = (
      one(aws_cloudfront_distribution.this.default_cache_behavior).target_origin_id == "site-or-problem" && one(aws_cloudfront_distribution.this.default_cache_behavior).viewer_protocol_policy == "redirect-to-https" &&
      one(aws_cloudfront_distribution.this.default_cache_behavior).allowed_methods == toset(["GET", "HEAD"])
    )
    error_message = "Clients must only read files, and requests without TLS must be redirected."
  }

  assert {
    condition = [for behavior in aws_cloudfront_distribution.this.ordered_cache_behavior : [behavior.path_pattern, behavior.target_origin_id, behavior.viewer_protocol_policy, behavior.cache_policy_id]] == [
      ["/v1/*", "api", "https-only", aws_cloudfront_cache_policy.api.id]
    ]
    error_message = "The API must be below /v1, and refuse requests without TLS."
  }

  assert {
    condition = [for association in aws_cloudfront_distribution.this.ordered_cache_behavior[0].function_association : [association.event_type, association.function_arn]] == [
      ["viewer-request", aws_cloudfront_function.viewer.arn]
    ]
    error_message = "The function with the routes must run for every request to the API."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.http_version == "http2and3" && aws_cloudfront_distribution.this.is_ipv6_enabled && aws_cloudfront_distribution.this.price_class == "PriceClass_100"
    error_message = "HTTP/3 and IPv6 must be enabled."
  }

  # A file that does not exist is a problem of the API.
  assert {
    condition = (
      one(one(aws_cloudfront_distribution.this.origin_group).failover_criteria).status_codes == toset([400, 403, 404, 416]) &&
      join(" ", one(aws_cloudfront_distribution.this.origin_group).member[*].origin_id) == "site api"
    )
    error_message = "If the bucket has no such file, the API must answer: S3 answers in XML."
  }

  # Answers are cached only if the API allows it.
  assert {
    condition     = aws_cloudfront_cache_policy.api.min_ttl == 0 && aws_cloudfront_cache_policy.api.default_ttl == 0
    error_message = "CloudFront must not cache an answer without Cache-Control."
  }

  assert {
    condition = { for response in aws_cloudfront_distribution.this.custom_error_response : response.error_code => response.error_caching_min_ttl } == {
      for code in [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504] : code => 0
    }
    error_message = "CloudFront must keep no error longer than the API allows."
  }

  assert {
    condition     = alltrue([for response in aws_cloudfront_distribution.this.custom_error_response : response.response_code == null && response.response_page_path == null])
    error_message = "CloudFront must not replace the API's errors."
  }

  assert {
    condition     = one(one(one(aws_cloudfront_cache_policy.api.parameters_in_cache_key_and_forwarded_to_origin).headers_config).headers).items == toset(["Authorization", "X-Workspace"])
    error_message = "The cache's key must contain the token and the workspace."
  }

  assert {
    condition = (
      one(aws_cloudfront_origin_request_policy.api.headers_config).header_behavior == "allExcept" &&
      one(one(aws_cloudfront_origin_request_policy.api.headers_config).headers).items == toset(["Host"])
    )
    error_message = "The API must get every header but the client's Host."
  }

  # The security headers are set.
  assert {
    condition = one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).content_security_policy == join("; ", [
      "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
      "connect-src 'self' https://service-production-fbc80910.auth.eu-central-1.amazoncognito.com",
      "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types lit-html", "upgrade-insecure-requests",
    ])
    error_message = "Scripts must come from the site, and may call only the site and the sign-in."
  }

  assert {
    condition = alltrue([for headers in aws_cloudfront_response_headers_policy.this.security_headers_config : (
      one(headers.strict_transport_security).access_control_max_age_sec == 31536000 && one(headers.content_type_options).override &&
      one(headers.frame_options).frame_option == "DENY" && one(headers.referrer_policy).referrer_policy == "no-referrer"
    )])
    error_message = "The other security headers must be set."
  }

  assert {
    condition     = contains([for header in one(aws_cloudfront_response_headers_policy.this.custom_headers_config).items : "${header.header}: ${header.value} ${header.override}"], "WWW-Authenticate: Bearer false")
    error_message = "API Gateway renames WWW-Authenticate of the function, so CloudFront must add it where it is missing."
  }

  # Without a domain the site has CloudFront's domain.
  assert {
    condition     = output.url == "https://d1.cloudfront.net" && length(coalesce(aws_cloudfront_distribution.this.aliases, [])) == 0 && length(aws_route53_record.this) == 0
    error_message = "The URL must have CloudFront's own domain."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.viewer_certificate).cloudfront_default_certificate
    error_message = "The certificate must be CloudFront's own."
  }

  assert {
    condition = alltrue([for name in [
      aws_cloudfront_function.viewer.name, aws_cloudfront_key_value_store.routes.name, aws_cloudfront_cache_policy.site.name, aws_cloudfront_cache_policy.api.name,
      aws_cloudfront_origin_request_policy.api.name, aws_cloudfront_response_headers_policy.this.name, aws_cloudfront_origin_access_control.this.name,
      aws_cloudfront_distribution.this.comment,
    ] : startswith(name, "service-production")])
    error_message = "Every name must start with the environment's name, because CloudFront's names are unique in the account."
  }
}

run "with_a_domain_the_site_has_records_and_tls_1_2" {
  variables {
    domain        = { name = "service.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1", zone_id = "Z1" }
    web_acl_arn   = "arn:aws:wafv2:us-east-1:210987654321:global/webacl/a/1"
    header_to_api = { name = "x-from-site", value = "6f1c9a52" }
  }

  assert {
    condition     = output.url == "https://service.example.org" && aws_cloudfront_distribution.this.aliases == toset(["service.example.org"])
    error_message = "The URL must have the given domain."
  }

  assert {
    condition = [for certificate in aws_cloudfront_distribution.this.viewer_certificate : [certificate.acm_certificate_arn, certificate.ssl_support_method, certificate.minimum_protocol_version]] == [
      ["arn:aws:acm:us-east-1:210987654321:certificate/1", "sni-only", "TLSv1.2_2021"]
    ]
    error_message = "The certificate must be the given one, and TLS 1.2 the minimum."
  }

  assert {
    condition     = keys(aws_route53_record.this) == ["A", "AAAA"] && toset(values(aws_route53_record.this)[*].name) == toset(["service.example.org"])
    error_message = "The domain's records must lead to the distribution."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == "arn:aws:wafv2:us-east-1:210987654321:global/webacl/a/1"
    error_message = "The distribution must have the given firewall."
  }

  assert {
    condition = nonsensitive({ for origin in aws_cloudfront_distribution.this.origin : origin.origin_id => [for header in origin.custom_header : { (header.name) = header.value }] }) == {
      api  = [{ x-from-site = "6f1c9a52" }]
      site = []
    }
    error_message = "The API's firewall must know the site's requests by the header, which nobody else may get."
  }
}

run "without_a_zone_the_site_has_no_records" {
  command = plan

  variables { domain = { name = "service.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" } }

  assert {
    condition     = length(aws_route53_record.this) == 0
    error_message = "Without a zone, there must be no record."
  }
}

run "the_longest_name_fits" {
  command = plan

  variables { name = "long-distance-orders-preproduction-w-a234567890123456" } # 53

  assert {
    condition     = length(aws_s3_bucket.this.bucket) == 62
    error_message = "S3 allows 63 characters for a bucket's name."
  }
}
