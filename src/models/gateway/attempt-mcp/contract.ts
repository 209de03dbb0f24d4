import type { RunTool } from "../../../domain/index.ts";

/** What an agent at work asks of its run: a call of one of `runTools`, made at the MCP endpoint of its attempt. */
export interface AgentRequest {
  /**
   * The same when it is handed on again: to the engine that takes the attempt over, and when an agent that knows ids of its own (the built-in one)
   * asks again over a new connection. Unlike that of any other request of any key.
   */
  id: string;
  /** Another each time the agent sends it, so that one that is sent again is not taken for one that is known. */
  delivery: string;
  /** Names the key it came with, see keys.ts. */
  keyId: string;
  tool: RunTool;
  input: unknown;
}

/** What the agent's model reads. */
export interface AgentReply {
  text: string;
  isError?: true;
}

/** Who answers the requests of one key. */
export interface RequestServer {
  /** Never rejects. `undefined`: nothing is to be said, since another engine has the attempt, or it is over. */
  answer(request: AgentRequest): Promise<AgentReply | undefined>;
  /** Whether the agent still listened when the answer came; one that did not may ask the same again. */
  replied(request: AgentRequest, isHeard: boolean): void;
}
