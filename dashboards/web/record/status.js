/** The state of a recording as one message: pure. */

import { seconds } from "../shared/format.js";

/** @typedef {import("../recorder/recorder.js").Report} Report */

/**
 * @param {Report} report
 * @returns {{key: string, values: Record<string, string | number>, trouble: boolean}}
 */
export function describe(report) {
  const { phase, connection } = report;
  if (phase === "failed") {
    const reason = report.complaint ?? "";
    if (!report.isUnsent) return tell("failed", { reason }, true);
    return tell("failed.unsent", { reason, seconds: seconds(report.keptMs) }, true);
  }
  if (phase === "finished") return tell("finished");
  if (report.isInterrupted) return tell("interrupted", {}, true);
  if (report.isDeaf) return tell("deaf", {}, true);
  if (connection === "offline") return tell("offline", { seconds: seconds(report.keptMs) }, true);
  if (connection === "busy") return tell("busy", { seconds: Math.ceil(report.retryInMs / 1000) }, true);
  if (connection === "refused") {
    return tell("refused", { reason: report.complaint ?? "", seconds: seconds(report.keptMs) }, true);
  }
  if (connection === "behind") return tell("behind", { seconds: seconds(report.keptMs) });
  if (phase === "finishing") return tell("finishing");
  if (phase === "paused") return tell("paused");
  if (connection === "connecting") return tell("connecting");
  return tell("live", { seconds: seconds(report.behindMs) });
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} values
 */
function tell(name, values = {}, trouble = false) {
  return { key: `status.${name}`, values, trouble };
}
