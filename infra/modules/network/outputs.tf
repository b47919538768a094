output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Subnets of functions and database, one a zone."
  value       = aws_subnet.private[*].id
}

output "functions_security_group_id" {
  description = "Security group of the functions: what they may reach besides the database."
  value       = aws_security_group.functions.id
}
