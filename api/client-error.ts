// Answers what is not even HTTP, or too slow, or too long: such requests never reach a route.
import type { Socket } from "node:net";
import { ApiError } from "../contract/errors.ts";
import { newRequestId } from "./response-headers.ts";

export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const { status, title, message } = describe(error.code);
  const body = JSON.stringify(new ApiError(status, message).toBody());
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      "content-type: application/json; charset=utf-8",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${newRequestId()}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

function describe(code: string | undefined): { status: number; title: string; message: string } {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, title: "Request Timeout", message: "The request took too long to arrive." };
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        title: "Request Header Fields Too Large",
        message: "The headers of the request are too large.",
      };
    default:
      return { status: 400, title: "Bad Request", message: "The request is not valid HTTP." };
  }
}
