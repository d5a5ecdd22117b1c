/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_OTLP_H
#define BERTH_AUTHSVC_OTLP_H

#include "base/buf.h"
#include "base/trace.h"

/*
 * Spans as one ExportTraceServiceRequest in the JSON encoding of OTLP 1.0 (ids in hexadecimal, nanoseconds as strings),
 * grouped by process. The buffer fails when its cap is met.
 */
void otlp_write(const struct trace_span *spans, size_t count, struct buf *out);

#endif
