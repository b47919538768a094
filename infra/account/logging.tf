# API Gateway writes the access logs of every stage in the account and region with this one role.

resource "aws_iam_role" "apigateway" {
  name        = "${local.name}-apigateway"
  description = "API Gateway writes logs to CloudWatch"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
      # AWS does not document whether API Gateway names the account. If it does, it must be ours.
      Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# Use AWS's own policy: API Gateway refuses a role with fewer permissions.
resource "aws_iam_role_policy_attachment" "apigateway" {
  role       = aws_iam_role.apigateway.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.apigateway.arn

  depends_on = [aws_iam_role_policy_attachment.apigateway]
}
