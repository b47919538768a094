# The page's files. All but index.html are in a folder that is named after their digest, so browsers keep them for ever.
# index.html names the folder, and is never cached. Commands copy web/ into this module.

locals {
  files  = setsubtract(fileset("${path.module}/web", "**"), ["index.html"])
  digest = substr(sha256(join("\n", [for file in sort(local.files) : "${file} ${filesha256("${path.module}/web/${file}")}"])), 0, 16)

  # A file without one of these endings, such as a licence, is text.
  content_types = {
    css         = "text/css; charset=utf-8"
    html        = "text/html; charset=utf-8"
    ico         = "image/x-icon"
    js          = "text/javascript; charset=utf-8"
    json        = "application/json"
    png         = "image/png"
    svg         = "image/svg+xml"
    webmanifest = "application/manifest+json"
  }
}

# New files come before the new index.html, and old files go after it.
resource "aws_s3_object" "file" {
  for_each = local.files

  bucket        = aws_s3_bucket.this.id
  key           = "${local.digest}/${each.value}"
  source        = "${path.module}/web/${each.value}"
  source_hash   = filesha256("${path.module}/web/${each.value}")
  content_type  = lookup(local.content_types, reverse(split(".", each.value))[0], "text/plain; charset=utf-8")
  cache_control = "public, max-age=${local.a_year_seconds}, immutable"

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_object" "index" {
  bucket        = aws_s3_bucket.this.id
  key           = "index.html"
  content       = replace(file("${path.module}/web/index.html"), "\"./", "\"/${local.digest}/")
  content_type  = local.content_types.html
  cache_control = "no-cache"

  depends_on = [aws_s3_object.file]
}
