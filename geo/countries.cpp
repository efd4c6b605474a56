#include "geo/countries.h"

#include <algorithm>
#include <array>

namespace demarc::geo {
namespace {

constexpr Country country(const char (&code)[3], const char (&continent)[3], double latitude,
                          double longitude) {
  return {{{code[0], code[1]}}, {{continent[0], continent[1]}}, {latitude, longitude}};
}

// Continents are those of GeoIP: CY is in EU, RU too, TR in AS. XK (Kosovo) is user-assigned in ISO
// 3166-1 and in every database. Centroids are good to about a degree: they only rank regions.
constexpr std::array table = {
    country("AD", "EU", 42.5, 1.5),     country("AE", "AS", 24, 54),
    country("AF", "AS", 33.8, 66),      country("AG", "NA", 17.1, -61.8),
    country("AI", "NA", 18.2, -63.1),   country("AL", "EU", 41.1, 20.1),
    country("AM", "AS", 40.3, 45),      country("AO", "AF", -12.3, 17.5),
    country("AQ", "AN", -80.5, 20),     country("AR", "SA", -35.4, -65.2),
    country("AS", "OC", -14.3, -170.7), country("AT", "EU", 47.6, 14.1),
    country("AU", "OC", -25.7, 134.5),  country("AW", "NA", 12.5, -70),
    country("AX", "EU", 60.2, 20),      country("AZ", "AS", 40.3, 47.5),
    country("BA", "EU", 44.2, 17.8),    country("BB", "NA", 13.2, -59.6),
    country("BD", "AS", 23.9, 90.2),    country("BE", "EU", 50.6, 4.6),
    country("BF", "AF", 12.3, -1.7),    country("BG", "EU", 42.8, 25.2),
    country("BH", "AS", 26, 50.5),      country("BI", "AF", -3.4, 29.9),
    country("BJ", "AF", 9.6, 2.3),      country("BL", "NA", 17.9, -62.8),
    country("BM", "NA", 32.3, -64.8),   country("BN", "AS", 4.5, 114.7),
    country("BO", "SA", -16.7, -64.7),  country("BQ", "NA", 12.2, -68.3),
    country("BR", "SA", -10.8, -53.1),  country("BS", "NA", 24.3, -76.6),
    country("BT", "AS", 27.4, 90.4),    country("BV", "AN", -54.4, 3.4),
    country("BW", "AF", -22.2, 23.8),   country("BY", "EU", 53.5, 28),
    country("BZ", "NA", 17.2, -88.7),   country("CA", "NA", 61.4, -98.3),
    country("CC", "AS", -12.2, 96.8),   country("CD", "AF", -2.9, 23.6),
    country("CF", "AF", 6.6, 20.5),     country("CG", "AF", -0.8, 15.2),
    country("CH", "EU", 46.8, 8.2),     country("CI", "AF", 7.6, -5.6),
    country("CK", "OC", -21.2, -159.8), country("CL", "SA", -37.7, -71.4),
    country("CM", "AF", 5.7, 12.7),     country("CN", "AS", 36.6, 103.8),
    country("CO", "SA", 3.9, -73.1),    country("CR", "NA", 10, -84.2),
    country("CU", "NA", 21.6, -79),     country("CV", "AF", 16, -24),
    country("CW", "NA", 12.2, -69),     country("CX", "AS", -10.4, 105.7),
    country("CY", "EU", 34.9, 33),      country("CZ", "EU", 49.7, 15.3),
    country("DE", "EU", 51.1, 10.4),    country("DJ", "AF", 11.7, 42.6),
    country("DK", "EU", 56, 10),        country("DM", "NA", 15.4, -61.4),
    country("DO", "NA", 18.9, -70.5),   country("DZ", "AF", 28.2, 2.6),
    country("EC", "SA", -1.4, -78.8),   country("EE", "EU", 58.7, 25.5),
    country("EG", "AF", 26.5, 29.9),    country("EH", "AF", 24.2, -12.2),
    country("ER", "AF", 15.4, 38.8),    country("ES", "EU", 40.2, -3.6),
    country("ET", "AF", 8.6, 39.6),     country("FI", "EU", 64.5, 26.3),
    country("FJ", "OC", -17.4, 178),    country("FK", "SA", -51.7, -59.5),
    country("FM", "OC", 6.9, 158.2),    country("FO", "EU", 62.1, -6.9),
    country("FR", "EU", 46.6, 2.5),     country("GA", "AF", -0.6, 11.8),
    country("GB", "EU", 54, -2.9),      country("GD", "NA", 12.1, -61.7),
    country("GE", "AS", 42.2, 43.5),    country("GF", "SA", 3.9, -53.2),
    country("GG", "EU", 49.5, -2.6),    country("GH", "AF", 8, -1.2),
    country("GI", "EU", 36.1, -5.3),    country("GL", "NA", 74.7, -41.4),
    country("GM", "AF", 13.5, -15.4),   country("GN", "AF", 10.4, -10.9),
    country("GP", "NA", 16.2, -61.4),   country("GQ", "AF", 1.7, 10.3),
    country("GR", "EU", 39.1, 22.9),    country("GS", "AN", -54.4, -36.6),
    country("GT", "NA", 15.7, -90.4),   country("GU", "OC", 13.4, 144.8),
    country("GW", "AF", 12, -15),       country("GY", "SA", 4.8, -58.9),
    country("HK", "AS", 22.4, 114.1),   country("HM", "AN", -53.1, 73.5),
    country("HN", "NA", 14.8, -86.6),   country("HR", "EU", 45.1, 16.4),
    country("HT", "NA", 18.9, -72.7),   country("HU", "EU", 47.2, 19.4),
    country("ID", "AS", -2.2, 117.3),   country("IE", "EU", 53.2, -8.1),
    country("IL", "AS", 31.5, 35),      country("IM", "EU", 54.2, -4.5),
    country("IN", "AS", 22.9, 79.6),    country("IO", "AS", -7.3, 72.4),
    country("IQ", "AS", 33, 43.7),      country("IR", "AS", 32.6, 54.3),
    country("IS", "EU", 65, -18.6),     country("IT", "EU", 42.8, 12.1),
    country("JE", "EU", 49.2, -2.1),    country("JM", "NA", 18.2, -77.3),
    country("JO", "AS", 31.2, 36.8),    country("JP", "AS", 37.6, 138),
    country("KE", "AF", 0.6, 37.8),     country("KG", "AS", 41.5, 74.6),
    country("KH", "AS", 12.7, 104.9),   country("KI", "OC", 1.4, 173),
    country("KM", "AF", -11.9, 43.7),   country("KN", "NA", 17.3, -62.7),
    country("KP", "AS", 40.2, 127.2),   country("KR", "AS", 36.4, 127.8),
    country("KW", "AS", 29.3, 47.6),    country("KY", "NA", 19.4, -81),
    country("KZ", "AS", 48.2, 67.3),    country("LA", "AS", 18.5, 103.7),
    country("LB", "AS", 33.9, 35.9),    country("LC", "NA", 13.9, -61),
    country("LI", "EU", 47.1, 9.5),     country("LK", "AS", 7.6, 80.7),
    country("LR", "AF", 6.5, -9.3),     country("LS", "AF", -29.6, 28.2),
    country("LT", "EU", 55.3, 23.9),    country("LU", "EU", 49.8, 6.1),
    country("LV", "EU", 56.9, 24.9),    country("LY", "AF", 27, 18),
    country("MA", "AF", 31.9, -6.3),    country("MC", "EU", 43.7, 7.4),
    country("MD", "EU", 47.2, 28.5),    country("ME", "EU", 42.8, 19.2),
    country("MF", "NA", 18.1, -63.1),   country("MG", "AF", -19.4, 46.7),
    country("MH", "OC", 7.1, 171.2),    country("MK", "EU", 41.6, 21.7),
    country("ML", "AF", 17.3, -3.5),    country("MM", "AS", 21.2, 96.5),
    country("MN", "AS", 46.8, 103.1),   country("MO", "AS", 22.2, 113.5),
    country("MP", "OC", 15.2, 145.7),   country("MQ", "NA", 14.7, -61),
    country("MR", "AF", 20.3, -10.3),   country("MS", "NA", 16.7, -62.2),
    country("MT", "EU", 35.9, 14.4),    country("MU", "AF", -20.3, 57.6),
    country("MV", "AS", 3.2, 73.2),     country("MW", "AF", -13.2, 34.3),
    country("MX", "NA", 23.9, -102.5),  country("MY", "AS", 3.8, 109.7),
    country("MZ", "AF", -17.3, 35.5),   country("NA", "AF", -22.1, 17.2),
    country("NC", "OC", -21.3, 165.5),  country("NE", "AF", 17.4, 9.4),
    country("NF", "OC", -29, 168),      country("NG", "AF", 9.6, 8.1),
    country("NI", "NA", 12.8, -85),     country("NL", "EU", 52.2, 5.5),
    country("NO", "EU", 64.5, 13),      country("NP", "AS", 28.2, 83.9),
    country("NR", "OC", -0.5, 166.9),   country("NU", "OC", -19.1, -169.9),
    country("NZ", "OC", -41.8, 171.5),  country("OM", "AS", 20.6, 56.1),
    country("PA", "NA", 8.5, -80.1),    country("PE", "SA", -9.2, -74.4),
    country("PF", "OC", -17.7, -149.4), country("PG", "OC", -6.5, 145.2),
    country("PH", "AS", 11.8, 122.9),   country("PK", "AS", 29.9, 69.3),
    country("PL", "EU", 52.1, 19.4),    country("PM", "NA", 46.9, -56.3),
    country("PN", "OC", -25.1, -130.1), country("PR", "NA", 18.2, -66.5),
    country("PS", "AS", 31.9, 35.2),    country("PT", "EU", 39.6, -8.5),
    country("PW", "OC", 7.5, 134.6),    country("PY", "SA", -23.2, -58.4),
    country("QA", "AS", 25.3, 51.2),    country("RE", "AF", -21.1, 55.5),
    country("RO", "EU", 45.9, 25),      country("RS", "EU", 44.2, 20.8),
    country("RU", "EU", 61.9, 96.7),    country("RW", "AF", -2, 29.9),
    country("SA", "AS", 24.1, 44.5),    country("SB", "OC", -8.9, 159.6),
    country("SC", "AF", -4.7, 55.5),    country("SD", "AF", 16, 30),
    country("SE", "EU", 62.8, 16.7),    country("SG", "AS", 1.4, 103.8),
    country("SH", "AF", -15.9, -5.7),   country("SI", "EU", 46.1, 14.8),
    country("SJ", "EU", 78.8, 18.4),    country("SK", "EU", 48.7, 19.5),
    country("SL", "AF", 8.6, -11.8),    country("SM", "EU", 43.9, 12.5),
    country("SN", "AF", 14.4, -14.5),   country("SO", "AF", 4.8, 45.7),
    country("SR", "SA", 4.1, -55.9),    country("SS", "AF", 7.3, 30.2),
    country("ST", "AF", 0.4, 6.7),      country("SV", "NA", 13.7, -88.9),
    country("SX", "NA", 18, -63.1),     country("SY", "AS", 35, 38.5),
    country("SZ", "AF", -26.6, 31.5),   country("TC", "NA", 21.8, -71.8),
    country("TD", "AF", 15.3, 18.6),    country("TF", "AN", -49.3, 69.2),
    country("TG", "AF", 8.5, 1),        country("TH", "AS", 15.1, 101),
    country("TJ", "AS", 38.5, 71),      country("TK", "OC", -9.2, -171.8),
    country("TL", "OC", -8.8, 125.8),   country("TM", "AS", 39.1, 59.4),
    country("TN", "AF", 34.1, 9.6),     country("TO", "OC", -21.2, -175.2),
    country("TR", "AS", 39.1, 35.2),    country("TT", "NA", 10.4, -61.3),
    country("TV", "OC", -8.5, 179.2),   country("TW", "AS", 23.8, 121),
    country("TZ", "AF", -6.3, 34.8),    country("UA", "EU", 49, 31.4),
    country("UG", "AF", 1.3, 32.4),     country("UM", "OC", 19.3, 166.6),
    country("US", "NA", 39.8, -98.6),   country("UY", "SA", -32.8, -56),
    country("UZ", "AS", 41.8, 63.1),    country("VA", "EU", 41.9, 12.5),
    country("VC", "NA", 13.2, -61.2),   country("VE", "SA", 7.1, -66.2),
    country("VG", "NA", 18.4, -64.5),   country("VI", "NA", 18, -64.8),
    country("VN", "AS", 16.6, 106.3),   country("VU", "OC", -16.2, 167.7),
    country("WF", "OC", -13.9, -177.4), country("WS", "OC", -13.8, -172.2),
    country("XK", "EU", 42.6, 20.9),    country("YE", "AS", 15.9, 47.6),
    country("YT", "AF", -12.8, 45.1),   country("ZA", "AF", -29, 25.1),
    country("ZM", "AF", -13.5, 27.8),   country("ZW", "AF", -19, 29.9),
};
static_assert(table.size() == 250, "249 countries of ISO 3166-1, and XK");
static_assert(std::ranges::is_sorted(table, {}, &Country::code));

}  // namespace

std::span<const Country> countries() noexcept { return table; }

const Country* find_country(Code2 code) noexcept {
  const auto* const found = std::ranges::lower_bound(table, code, {}, &Country::code);
  return found != table.end() && found->code == code ? found : nullptr;
}

bool is_continent(Code2 code) noexcept {
  static constexpr std::array<std::string_view, 7> continents = {"AF", "AN", "AS", "EU",
                                                                 "NA", "OC", "SA"};
  return std::ranges::find(continents, code.text()) != continents.end();
}

}  // namespace demarc::geo
