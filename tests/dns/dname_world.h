// Names below DNAMEs of all sorts: what they lead to, loops, cuts, a service and a child zone.
#pragma once

#include <string>
#include <vector>

#include "tests/dns/world.h"

namespace demarc::dns::test {

using Lines = std::vector<std::string>;

inline const std::string soa_line =
    "example.com. 60 SOA ns1.example.com. hostmaster.example.com. 1 7200 900 1209600 60";

inline World dname_world() {
  World world;
  world.add("d.example.com. 300 IN DNAME to.example.com.");
  world.add("d.example.com. 200 IN TXT \"beside it\"");
  world.add("www.to.example.com. 60 IN A 192.0.2.80");
  world.add("deep.empty.to.example.com. 60 IN TXT \"deep\"");
  world.add("alias.to.example.com. 60 IN CNAME www.to.example.com.");
  world.add("back.to.example.com. 60 IN CNAME www.d.example.com.");
  world.add("mail.to.example.com. 60 IN MX 10 www.to.example.com.");
  world.add("*.wild.to.example.com. 60 IN MX 10 mx.wild.to.example.com.");
  world.add("*.wild.to.example.com. 60 IN A 192.0.2.99");
  world.add("*.aliases.to.example.com. 60 IN CNAME www.to.example.com.");
  world.add("sub.to.example.com. 60 IN NS ns.sub.to.example.com.");
  world.add("sub.to.example.com. 60 IN NS www.to.example.com.");
  world.add("ns.sub.to.example.com. 60 IN A 192.0.2.54");
  world.add("signed.to.example.com. 60 IN NS ns.elsewhere.test.");
  world.add(
      "signed.to.example.com. 60 IN DS 1 13 2 "
      "0000000000000000000000000000000000000000000000000000000000000000");
  world.add("dd.example.com. 100 IN DNAME d.example.com.");
  world.add("out.example.com. 300 IN DNAME elsewhere.test.");
  world.add("root.example.com. 300 IN DNAME .");
  world.add("a.example.com. 300 IN DNAME b.example.com.");
  world.add("b.example.com. 300 IN DNAME a.example.com.");
  world.add("grow.example.com. 300 IN DNAME x.grow.example.com.");
  world.add("q.r.example.com. 300 IN DNAME r.example.com.");
  world.add("services.example.com. 300 IN DNAME example.com.");
  world.add("mx.api.to.example.com. 60 IN MX 10 api.example.com.");
  world.add("to-d.example.com. 50 IN CNAME www.d.example.com.");
  world.add("to-owner.example.com. 50 IN CNAME d.example.com.");
  world.add("to-child.example.com. 50 IN DNAME child.example.com.");
  zones::Service& api = world.add_service("api.example.com");
  World::route_by_country(api);
  World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
  World::add_record(api, 1, 100, "us.example.net", {});
  world.add("child.example.com. 300 IN NS ns.child.example.com.");
  world.add_zone("child.example.com");
  world.add("www.child.example.com. 60 IN A 192.0.2.44");
  world.add_network("198.51.0.0/16", "US");
  world.add_network("203.0.0.0/8", "DE");
  return world;
}

}  // namespace demarc::dns::test
