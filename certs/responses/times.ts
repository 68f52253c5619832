import { generalizedTime, tag, tlv } from "../der.js";
import type { OcspMatrix } from "./matrix.js";

const time = (text: string) => tlv(tag.generalizedTime, Buffer.from(text));

/** Times, RFC 6960 sections 2.4 and 4.2.2.1. */
export function timeCases(m: OcspMatrix): void {
  const week = {
    thisUpdate: generalizedTime("2026-01-01T00:00:00Z"),
    nextUpdate: generalizedTime("2026-01-08T00:00:00Z"),
  };
  const response = m.response({ single: week, producedAt: week.thisUpdate });
  m.good("week", "valid for a week, now within", response, { at: "2026-01-04T00:00:00Z" });
  m.good("late-in-skew", "900 s after nextUpdate", response, { at: "2026-01-08T00:15:00Z" });
  m.bad("late", "OCSP_EXPIRED", "901 s after nextUpdate", response, { at: "2026-01-08T00:15:01Z" });
  m.bad("late-no-skew", "OCSP_EXPIRED", "1 s after nextUpdate, and no skew", response, {
    at: "2026-01-08T00:00:01Z",
    skew: 0,
  });
  m.bad("stale", "OCSP_EXPIRED", "half a year after nextUpdate", response);
  m.good("early-in-skew", "900 s before thisUpdate", response, { at: "2025-12-31T23:45:00Z" });
  m.bad("early", "OCSP_NOT_YET_VALID", "901 s before thisUpdate", response, { at: "2025-12-31T23:44:59Z" });
  m.bad("early-no-skew", "OCSP_NOT_YET_VALID", "1 s before thisUpdate, and no skew", response, {
    at: "2025-12-31T23:59:59Z",
    skew: 0,
  });
  m.bad(
    "from-2045",
    "OCSP_NOT_YET_VALID",
    "from the far future",
    m.response({ single: { thisUpdate: generalizedTime("2045-01-01T00:00:00Z") } }),
  );
  m.bad(
    "produced-later",
    "OCSP_NOT_YET_VALID",
    "produced in the far future",
    m.response({ producedAt: generalizedTime("2045-01-01T00:00:00Z") }),
  );
  m.good("max-age", "a day old, which is the maximal age", response, {
    at: "2026-01-02T00:00:00Z",
    maxAge: 86400,
  });
  m.bad("too-old", "OCSP_EXPIRED", "older than the maximal age and skew", response, {
    at: "2026-01-03T00:00:00Z",
    maxAge: 86400,
  });
  m.good(
    "since-1950",
    "from before 1970, and valid till now",
    m.response({
      single: { thisUpdate: generalizedTime("1950-01-01T00:00:00Z") },
      producedAt: generalizedTime("1950-01-01T00:00:00Z"),
    }),
  );
  nextUpdateCases(m);
  malformedTimeCases(m);
}

function nextUpdateCases(m: OcspMatrix): void {
  const today = generalizedTime("2026-07-01T00:00:00Z");
  const open = m.response({ single: { thisUpdate: today, nextUpdate: null }, producedAt: today });
  m.bad("no-next-update", "OCSP_NO_NEXT_UPDATE", "no nextUpdate", open);
  m.good("no-next-update-allowed", "no nextUpdate, which is allowed", open, { allowMissingNextUpdate: true });
  m.bad("no-next-update-too-old", "OCSP_EXPIRED", "the same, and older than maxAge", open, {
    allowMissingNextUpdate: true,
    maxAge: 3600,
  });
  oldNextUpdateCases(m);
  const backwards = {
    thisUpdate: generalizedTime("2026-07-01T12:00:00Z"),
    nextUpdate: generalizedTime("2026-07-01T11:59:59Z"),
  };
  m.bad(
    "backwards",
    "OCSP_TIME",
    "nextUpdate is before thisUpdate",
    m.response({ single: backwards, producedAt: backwards.thisUpdate }),
  );
}

/** A nextUpdate is one, however it is counted from 1970. */
function oldNextUpdateCases(m: OcspMatrix): void {
  const since = generalizedTime("1960-01-01T00:00:00Z");
  const until = (id: string, iso: string) => {
    const single = { thisUpdate: since, nextUpdate: generalizedTime(iso) };
    const response = m.response({ single, producedAt: since });
    m.bad(id, "OCSP_EXPIRED", `valid until ${iso}`, response, { allowMissingNextUpdate: true });
  };
  until("until-1970", "1970-01-01T00:00:00Z");
  until("until-1969", "1969-12-31T23:59:59Z");
  until("until-1965", "1965-01-01T00:00:00Z");
}

function malformedTimeCases(m: OcspMatrix): void {
  const refused = (id: string, description: string, text: string) =>
    m.bad(id, "OCSP_TIME", description, m.response({ single: { thisUpdate: time(text) } }));
  refused("time-fraction", "a time with a fraction", "20250101000000.5Z");
  refused("time-no-zone", "a time without Z", "20250101000000");
  refused("time-offset", "a time with an offset", "20250101000000+0100");
  refused("time-no-seconds", "a time without seconds", "202501010000Z");
  refused("time-month-13", "month 13", "20251301000000Z");
  refused("time-february-30", "30 February", "20250230000000Z");
  refused("time-hour-24", "hour 24", "20250101240000Z");
  refused("time-colon", "a colon for 10", "20250:01000000Z");
  refused("time-trailing", "a byte after the time", "20250101000000Z0");
  refused("time-empty", "an empty time", "");
  const utc = tlv(tag.utcTime, Buffer.from("250101000000Z"));
  m.bad("time-utc", "OCSP_MALFORMED", "a UTCTime", m.response({ single: { thisUpdate: utc } }));
  m.bad(
    "next-update-malformed",
    "OCSP_TIME",
    "month 13 in nextUpdate",
    m.response({ single: { nextUpdate: time("20491301000000Z") } }),
  );
  m.bad(
    "produced-malformed",
    "OCSP_TIME",
    "month 13 in producedAt",
    m.response({ producedAt: time("20251301000000Z") }),
  );
  const status = tlv(0xa1, time("20251301000000Z"));
  m.bad("revoked-malformed", "OCSP_TIME", "month 13 in revocationTime", m.response({ single: { status } }));
}
