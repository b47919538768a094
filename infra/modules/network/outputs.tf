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
  description = "Id of the functions' security group, which says what they may reach besides the database."
  value       = aws_security_group.functions.id
}
