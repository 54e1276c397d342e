/**
 * The JSON that the server speaks, as types. `undertone/events.py` is the original; unknown fields are ignored.
 *
 * @typedef {"positive" | "neutral" | "negative"} Label
 *
 * @typedef {object} Session
 * @property {"session"} type
 * @property {string} session_id
 * @property {"open" | "live" | "ended" | "deleted"} state
 * @property {"stop" | "idle" | "delete" | null} reason
 * @property {number} seq
 * @property {number} through
 * @property {string | null} language
 * @property {string | null} title
 * @property {string[]} tags
 * @property {string | null} started_at
 * @property {string} created_at
 * @property {string | null} ended_at
 * @property {number} utterances
 * @property {number} suppressed
 *
 * @typedef {object} Sentiment
 * @property {Label} label
 * @property {number} score
 * @property {string} model
 *
 * @typedef {object} Timing Wall times on the way of an utterance, ISO 8601.
 * @property {string | null} spoken_at The end of its speech, by the recorder's clock; this and the others by the server's.
 * @property {string | null} received_at
 * @property {string | null} transcribed_at
 * @property {string | null} classified_at
 *
 * @typedef {object} Utterance
 * @property {"utterance"} type
 * @property {string} session_id
 * @property {string} utterance_id
 * @property {number} seq
 * @property {number} through
 * @property {number} first_sample
 * @property {number} end_sample
 * @property {number} start_ms
 * @property {number} end_ms
 * @property {string} text
 * @property {string | null} language
 * @property {Timing} timing
 * @property {{suppressed: "no_speech" | "low_confidence" | "repetition" | "failed" | null}} quality
 * @property {Sentiment | null} sentiment
 *
 * @typedef {object} Partial
 * @property {"partial"} type
 * @property {string} session_id
 * @property {number} first_sample
 * @property {number} rev
 * @property {number} start_ms
 * @property {string} text
 * @property {number} committed
 * @property {string | null} language
 *
 * @typedef {object} Window
 * @property {"window"} type
 * @property {string} session_id
 * @property {number} seq
 * @property {number} size_ms
 * @property {number} start_ms
 * @property {boolean} final
 * @property {number} utterances
 * @property {number} positive
 * @property {number} neutral
 * @property {number} negative
 * @property {number | null} score
 * @property {number | null} score_min
 * @property {number | null} score_max
 * @property {number} talk_ms
 * @property {number} silence_ms
 * @property {number | null} longest_pause_ms
 * @property {number} words
 * @property {number | null} words_per_minute
 * @property {number | null} loudness_dbfs
 *
 * @typedef {object} Course
 * @property {string} session_id
 * @property {number} seq
 * @property {number} length_ms
 * @property {Window} whole
 * @property {Window[]} quarters Four, or none before anything was heard.
 * @property {number | null} trend Mean score of the last quarter minus that of the first.
 *
 * @typedef {object} Hit
 * @property {Utterance} utterance
 * @property {{text: string, match: boolean}[]} parts Its text, cut where what was searched for begins and ends.
 *
 * @typedef {object} Deleted
 * @property {string} session_id
 * @property {string} deleted_at
 * @property {string} gone_from_logs_by When the last copy in the log is gone.
 *
 * @typedef {object} Snapshot
 * @property {"snapshot"} type
 * @property {boolean} complete False while the history is out of reach.
 * @property {boolean} more Whether utterances before the given ones were left out.
 * @property {Session[]} sessions
 * @property {Utterance[]} utterances
 * @property {Window[]} windows
 * @property {Partial[]} partials
 *
 * @typedef {Session | Utterance | Partial | Window | Snapshot} ViewerEvent
 *
 * @typedef {object} NewSession
 * @property {string} session_id
 * @property {string} write_token
 * @property {string} read_token
 */
export {};
