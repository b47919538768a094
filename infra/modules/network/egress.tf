# The route to the internet, for copies of this repository whose functions call external systems. The registry's own
# functions call none, so `egress` is off by default and costs nothing.

resource "aws_internet_gateway" "this" {
  count = var.egress ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  count = var.egress ? 1 : 0

  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(var.cidr, 4, 15)
  availability_zone = local.zones[0]

  tags = { Name = "${var.name}-public", tier = "public" }
}

resource "aws_route_table" "public" {
  count = var.egress ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "to_the_internet" {
  count = var.egress ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count = var.egress ? 1 : 0

  subnet_id      = aws_subnet.public[0].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "this" {
  count = var.egress ? 1 : 0

  domain = "vpc"

  tags = { Name = var.name }
}

# All zones share one gateway. If the gateway's zone fails, calls to external systems fail, but the API continues.
resource "aws_nat_gateway" "this" {
  count = var.egress ? 1 : 0

  allocation_id = aws_eip.this[0].id
  subnet_id     = aws_subnet.public[0].id

  tags = { Name = var.name }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route" "out" {
  count = var.egress ? 1 : 0

  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}

resource "aws_vpc_security_group_egress_rule" "https" {
  count = var.egress ? 1 : 0

  security_group_id = aws_security_group.functions.id
  description       = "HTTPS to external systems"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "${var.name}-https" }
}
