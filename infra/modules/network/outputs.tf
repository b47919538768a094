output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "CIDR range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, for functions and database. There is one per zone."
  value       = aws_subnet.private[*].id
}

output "functions_security_group_id" {
  description = "Id of the functions' security group. With `egress` it allows calls to external systems."
  value       = aws_security_group.functions.id
}
