# The dashboard and the API have one address. So browsers need no CORS, and the dashboard calls only 'self' and the
# sign-in.

locals {
  bucket = "${var.name}-${substr(sha256(var.account_id), 0, 8)}"
  # Browsers keep HSTS for this time. CloudFront keeps no answer longer. It keeps an answer of the API only if the
  # answer allows caching.
  a_year_seconds = 31536000

  content_security_policy = join("; ", [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src ${join(" ", concat(["'self'"], var.connect_sources))}",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
    "upgrade-insecure-requests",
  ])
}

resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV_AWS_174: a domain of ours has TLS 1.2; for its own domain CloudFront decides alone
  #checkov:skip=CKV2_AWS_42: an environment needs no domain and no certificate
  #checkov:skip=CKV_AWS_86: the API and the firewall log requests; the rest are public files
  #checkov:skip=CKV_AWS_310: there is one API; a second one would need a second database
  #checkov:skip=CKV_AWS_374: people work from any country; tokens decide what they may do
  #checkov:skip=CKV2_AWS_47: the module firewall has the rules against Log4j (known bad inputs), but checkov can't see them there
  comment             = var.name
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = var.price_class
  default_root_object = "index.html"
  aliases             = var.domain == null ? [] : [var.domain.name]
  web_acl_id          = var.web_acl_arn

  origin {
    origin_id                = "site"
    domain_name              = aws_s3_bucket.this.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  origin {
    origin_id   = "api"
    domain_name = var.api_domain
    origin_path = "/${var.api_stage}"

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }

    dynamic "custom_header" {
      for_each = nonsensitive(var.header_to_api == null) ? [] : ["header_to_api"]

      content {
        name  = var.header_to_api.name
        value = var.header_to_api.value
      }
    }
  }

  # S3 answers in XML if a file does not exist (403), or if an address or a range of bytes is wrong. The API then answers
  # instead, with a problem.
  origin_group {
    origin_id = "site-or-problem"

    failover_criteria {
      status_codes = [400, 403, 404, 416]
    }
    member {
      origin_id = "site"
    }
    member {
      origin_id = "api"
    }
  }

  default_cache_behavior {
    target_origin_id           = "site-or-problem"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.site.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  ordered_cache_behavior {
    path_pattern           = "/v1/*"
    target_origin_id       = "api"
    viewer_protocol_policy = "https-only" # a redirect is too late, because the client has already sent the token in plain text
    allowed_methods        = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true

    cache_policy_id            = aws_cloudfront_cache_policy.api.id
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.api.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.viewer.arn
    }
  }

  # CloudFront would keep an error for 10 seconds, although the API does not allow it. A client whose request failed or
  # whose resource did not exist yet would get the same error again. These are all errors that CloudFront can keep.
  dynamic "custom_error_response" {
    for_each = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = try(var.domain.certificate_arn, null)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021" # CloudFront's own certificate allows only TLSv1 here
  }

  tags = { Name = var.name }
}

resource "aws_route53_record" "this" {
  for_each = toset(try(var.domain.zone_id, null) == null ? [] : ["A", "AAAA"])

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = each.value

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_cloudfront_function" "viewer" {
  name                         = "${var.name}-viewer"
  comment                      = "Sends named clients to debug workspaces"
  runtime                      = "cloudfront-js-2.0"
  code                         = file("${path.module}/viewer.js")
  key_value_store_associations = [aws_cloudfront_key_value_store.routes.arn]
  publish                      = true
}

resource "aws_cloudfront_key_value_store" "routes" {
  name    = "${var.name}-routes"
  comment = "Routes of clients to debug workspaces with their ends, and the addresses of these workspaces"
}

resource "aws_cloudfront_cache_policy" "site" {
  name        = "${var.name}-site"
  comment     = "Caches files by their paths alone"
  min_ttl     = 0
  default_ttl = 60
  max_ttl     = local.a_year_seconds

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true

    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      header_behavior = "none"
    }
    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_cache_policy" "api" {
  name        = "${var.name}-api"
  comment     = "Caches answers if the API allows it, for the same token and workspace"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = local.a_year_seconds

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = true
    enable_accept_encoding_brotli = true

    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      header_behavior = "whitelist"
      headers {
        items = ["Authorization", "X-Workspace"]
      }
    }
    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

resource "aws_cloudfront_origin_request_policy" "api" {
  name    = "${var.name}-api"
  comment = "Forwards all headers but Host, by which API Gateway finds the API"

  cookies_config {
    cookie_behavior = "none"
  }
  headers_config {
    header_behavior = "allExcept"
    headers {
      items = ["Host"]
    }
  }
  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  #checkov:skip=CKV_AWS_259: HSTS is set; the domain's owner decides about preloading, not one host
  name    = var.name
  comment = "Security headers of ${var.name}"

  security_headers_config {
    content_security_policy {
      content_security_policy = local.content_security_policy
      override                = true
    }
    strict_transport_security {
      access_control_max_age_sec = local.a_year_seconds
      include_subdomains         = true
      override                   = true
    }
    content_type_options {
      override = true
    }
    frame_options {
      frame_option = "DENY"
      override     = true
    }
    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
  }

  custom_headers_config {
    items {
      header   = "Permissions-Policy"
      value    = "camera=(), geolocation=(), microphone=(), payment=()"
      override = true
    }
    # API Gateway renames this header of a function's answer to x-amzn-remapped-www-authenticate. Only its own 401 has the
    # header ("Important notes", header remapping). CloudFront runs no function for an answer of 400 or more, so the header
    # is in every answer that has none. RFC 9110 (11.6.1) allows that, and browsers ignore it in other answers than 401.
    items {
      header   = "WWW-Authenticate"
      value    = "Bearer"
      override = false
    }
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin"
      override = true
    }
  }
}
