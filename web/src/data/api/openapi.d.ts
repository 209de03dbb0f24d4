// Written by `npm run schemas`.

export interface paths {
    "/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything at a glance
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Overview"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Runs, newest first
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                    status?: components["schemas"]["RunStatus"];
                    limit?: number;
                    before?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Runs"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Start a run
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StartRun"];
                };
            };
            responses: {
                /** @description Done */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Started"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that is known of a run
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunReport"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Its journal, after a version
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    after?: number;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Events"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What its agents, setup commands and gates printed, after a cursor
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    step?: string;
                    attempt?: string;
                    role?: string;
                    after?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LogPage"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an attempt, a step or the run changed
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    attempt?: string;
                    step?: string;
                    /** @description The text of this file's change alone */
                    file?: string;
                    maxBytes?: number;
                };
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DiffPage"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/attempts/prompt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the agent of an attempt was really told, at most 1 MB of it
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query: {
                    attempt: string;
                };
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PromptPage"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/report.md": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The run, or a phase of it, in Markdown
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    phase?: string;
                };
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/markdown": string;
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have tasks done
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DoTasks"];
                };
            };
            responses: {
                /** @description Done */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Started"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/samples": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a sample: a small project in a temporary folder, a scripted model, and one approval in the middle; no key, no money
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Nothing"];
                };
            };
            responses: {
                /** @description Done */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Started"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End it for good
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Cancel"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cancelled"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go on with it
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Resume"];
                };
            };
            responses: {
                /** @description Done */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Done"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what a result turned out to be worth
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Feedback"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FeedbackTaken"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/reassign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a step to another agent
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Reassign"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Done"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say something to the agent that works on a step
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SendMessage"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["MessageTaken"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/again": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a new run of the same pipeline with the same inputs, from the project's commit now
         * @description For operators and approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Nothing"];
                };
            };
            responses: {
                /** @description Done */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Started"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring its result into what is checked out in its project, with the project's own hooks
         * @description For approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The run's id, or the beginning or end of one that only one run has */
                    runId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Merge"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Merged"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What waits for people: what unblocks most first, then the oldest
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Inbox"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inbox/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer an item: by its whole name, or by a part that only one has
         * @description For approvers.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Answer"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Answered"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who you are here
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Agents, attempts that run, the queue
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AgentsView"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cost": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The ledger summed up, and what was saved
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                    /** @description Epoch milliseconds, or how long ago: 7d, 12h */
                    since?: string;
                    by?: "run" | "step" | "agent" | "model" | "tier" | "day" | "policy";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CostView"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What each gate said, and how often it was wrong
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                    /** @description Epoch milliseconds, or how long ago: 7d, 12h */
                    since?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["GatesView"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is set, without secrets
         * @description For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Settings"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check this machine: agents are really started, which takes a while
         * @description For operators and approvers.
         */
        get: {
            parameters: {
                query?: {
                    project?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Doctor"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A link that logs a browser in, once; of your own role, or of a lower one
         * @description For everybody who is logged in.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AskLink"];
                };
            };
            responses: {
                /** @description Done */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LoginLink"];
                    };
                };
                /** @description What went wrong, and what to do */
                default: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything as it happens (server-sent events)
         * @description First `hello` { globalSeq, version }. Then `journal` with a Recorded, its id the event's globalSeq; `live` with a Liveness, without an id. Resume with Last-Event-ID or ?after=GLOBALSEQ: no gap, no double. Without either it begins now. A comment line every 15 seconds. For everybody who is logged in.
         */
        get: {
            parameters: {
                query?: {
                    after?: number;
                };
                header?: {
                    "last-event-id"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A stream */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the login of this browser */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Done */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Overview: {
            runs: components["schemas"]["RunSummary"][];
            waiting: number;
            /** @description Millionths of a US dollar */
            spentToday: number;
            queue: components["schemas"]["QueueDepth"];
            slots: {
                busy: number;
                total: number;
            };
            projects: components["schemas"]["Project"][];
            providers: components["schemas"]["ProviderState"][];
        };
        RunSummary: {
            runId: string;
            project: string;
            pipeline: string;
            branch: string;
            base: string;
            status: components["schemas"]["RunStatus"];
            stepsTotal: number;
            stepsDone: number;
            /** @description Epoch milliseconds */
            startedAt: number;
            /** @description Epoch milliseconds */
            endedAt?: number;
            /** @description Milliseconds */
            durationMs: number;
            /** @description Millionths of a US dollar */
            microUsd: number;
            /** @description Milliseconds */
            waitedForPeopleMs: number;
            scripted: boolean;
            quota?: {
                provider: string;
                /** @description Epoch milliseconds */
                until: number;
            };
            queue?: components["schemas"]["QueueDepth"];
            live?: components["schemas"]["Liveness"][];
        };
        /** @enum {string} */
        RunStatus: "running" | "stopped" | "budget" | "waiting" | "succeeded" | "failed" | "cancelled";
        QueueDepth: {
            queued: number;
            running: number;
            /** @description Milliseconds */
            oldestWaitMs?: number;
        };
        Liveness: {
            /** @enum {string} */
            kind: "liveness";
            /** @description Epoch milliseconds */
            at: number;
            attempt: string;
            step: string;
            /** @enum {string} */
            state: "running" | "idle" | "stuck" | "unknown" | "dead";
            /** @description Epoch milliseconds */
            since: number;
            evidence: string[];
            risk?: {
                score: number;
                factors: {
                    /** @enum {string} */
                    name: "repetition" | "burn" | "silence";
                    value: number;
                    weight: number;
                    evidence: string[];
                }[];
                leftOut: {
                    name: string;
                    because: string;
                }[];
            };
        };
        Project: {
            path: string;
            name: string;
        };
        ProviderState: {
            provider: string;
            origin: string;
            /** @enum {string} */
            breaker: "closed" | "open" | "half-open";
            failuresInRow: number;
            /** @description Epoch milliseconds */
            openUntil?: number;
            lastFailure?: string;
            limits: {
                model: string;
                /** @description Epoch milliseconds */
                until: number;
            }[];
        };
        /** @description RFC 9457 problem details */
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            hint: string;
            problems?: ({
                message: string;
            } & {
                [key: string]: unknown;
            })[];
        };
        Runs: {
            runs: components["schemas"]["RunSummary"][];
        };
        RunReport: {
            runId: string;
            pipeline: string;
            source?: string;
            project: string;
            status: components["schemas"]["RunStatus"];
            because?: string;
            base: string;
            branch: string;
            tip?: string;
            checkedOut?: string;
            diff?: {
                files: {
                    path: string;
                    added: number;
                    removed: number;
                    binary: boolean;
                }[];
            };
            mergedInto?: {
                into: string;
                commit: string;
            };
            /** @description Epoch milliseconds */
            startedAt: number;
            /** @description Epoch milliseconds */
            endedAt?: number;
            /** @description Millionths of a US dollar */
            budget?: number;
            halted?: components["schemas"]["BudgetPause"];
            paused: components["schemas"]["BudgetPause"][];
            steps: components["schemas"]["StepReport"][];
            waiting: components["schemas"]["WaitingItem"][];
            bill: components["schemas"]["Bill"];
            scriptedProviders: string[];
            folder: string;
            cleaned: boolean;
            queue: {
                run: components["schemas"]["QueueDepth"];
                all: components["schemas"]["QueueDepth"];
            };
        };
        BudgetPause: {
            id: string;
            /** @enum {string} */
            scope: "fleet" | "project" | "run" | "step" | "attempt";
            step: string;
            /** @description Millionths of a US dollar */
            limit: number;
            /** @description Millionths of a US dollar */
            spent: number;
            /** @description Millionths of a US dollar */
            needed?: number;
            /** @description Epoch milliseconds */
            until?: number;
            item?: string;
        };
        StepReport: {
            id: string;
            kind: string;
            status: string;
            because?: string;
            needs: string[];
            /** @description Epoch milliseconds */
            endedAt?: number;
            attempts: components["schemas"]["AttemptReport"][];
            parent?: string;
            mayFail?: boolean;
            quota?: {
                provider: string;
                /** @description Epoch milliseconds */
                until: number;
            };
            output?: unknown;
        };
        AttemptReport: {
            id: string;
            n: number;
            /** @enum {string} */
            phase: "queued" | "running" | "accepted" | "merging" | "merged" | "rejected" | "failed" | "interrupted" | "refused";
            agent?: string;
            tier: string;
            reasons: string[];
            /** @description Milliseconds */
            queuedMs?: number;
            /** @description Epoch milliseconds */
            startedAt?: number;
            /** @description Epoch milliseconds */
            endedAt?: number;
            commit?: string;
            mergeCommit?: string;
            gates: {
                name: string;
                kind: string;
                /** @enum {string} */
                verdict: "passed" | "refused" | "errored";
                durationMs: number;
                evidence?: string;
                microUsd?: number;
            }[];
            findings: {
                gate: string;
                message: string;
                evidence?: string;
            }[];
            failure?: {
                kind: string;
                message: string;
            } & {
                [key: string]: unknown;
            };
            interrupted?: {
                because: string;
                evidence?: string;
            };
            summary?: string;
            dropped?: string[];
            output?: unknown;
            usage?: {
                calls: number;
                inputTokens: number;
                cachedInputTokens: number;
                outputTokens: number;
                microUsd: number;
                /** @enum {string} */
                provenance: "reported" | "estimated" | "unknown";
            };
            live?: components["schemas"]["Liveness"];
        };
        WaitingItem: {
            item: string;
            step: string;
            attempt?: string;
            /** @enum {string} */
            kind: "approval" | "question" | "permission" | "budget" | "conflict";
            budget?: string;
            title: string;
            detail?: string;
            choices: string[];
            who: string[];
            count: number;
            /** @description Epoch milliseconds */
            openedAt: number;
            /** @description Epoch milliseconds */
            expiresAt?: number;
            answers: {
                by: string;
                verdict: string;
                text?: string;
                /** @description Epoch milliseconds */
                at: number;
            }[];
        };
        Bill: {
            runId: string;
            rows: {
                calls: number;
                inputTokens: number;
                cachedInputTokens: number;
                outputTokens: number;
                microUsd: number;
                /** @enum {string} */
                provenance: "reported" | "estimated" | "unknown";
                attempt: string;
                agent: string;
                provider: string;
                model: string;
                tier: string;
                refused: number;
                /** @enum {string} */
                credentials: "metered" | "pass-through" | "direct";
            }[];
            total: {
                calls: number;
                inputTokens: number;
                cachedInputTokens: number;
                outputTokens: number;
                microUsd: number;
                /** @enum {string} */
                provenance: "reported" | "estimated" | "unknown";
                refused: number;
            };
        };
        Events: {
            events: components["schemas"]["Recorded"][];
            last: number;
        };
        Recorded: {
            globalSeq: number;
            stream: string;
            version: number;
            schemaVersion: number;
            /** @description Epoch milliseconds */
            at: number;
            actor: string;
            cause?: string;
            event: {
                type: string;
                data: {
                    [key: string]: unknown;
                };
            };
        };
        LogPage: {
            lines: components["schemas"]["LogLine"][];
            next: string;
            isOver: boolean;
        };
        LogLine: {
            attempt: string;
            step: string;
            n: number;
            role: string;
            seq: number;
            /** @description Epoch milliseconds */
            at: number;
            /** @enum {string} */
            stream: "stdout" | "stderr";
            text: string;
        };
        DiffPage: {
            text: string;
            files: {
                path: string;
                added: number;
                removed: number;
                binary: boolean;
            }[];
            isTruncated: boolean;
        };
        PromptPage: {
            text: string;
            isTruncated: boolean;
            /** @enum {string} */
            source: "transcript" | "journal";
        };
        Started: {
            runId: string;
        };
        StartRun: {
            project: string;
            pipeline: {
                file: string;
            } | {
                yaml: string;
            };
            inputs?: {
                [key: string]: string;
            };
            /** @description US dollars */
            budget?: number;
            includeDirty?: boolean;
        };
        DoTasks: {
            project: string;
            tasks: string[];
            gates?: string[];
            noGates?: boolean;
            agent?: string;
            /** @description US dollars */
            budget?: number;
        };
        Nothing: Record<string, never>;
        Cancelled: {
            runId: string;
            /** @enum {string} */
            outcome?: "succeeded" | "failed" | "cancelled";
        };
        Cancel: {
            reason?: string;
        };
        Done: {
            runId: string;
        };
        Resume: {
            /** @description US dollars */
            budget?: number;
        };
        FeedbackTaken: {
            attempt: string;
            /** @enum {string} */
            gates: "accepted" | "refused";
        };
        Feedback: {
            step: string;
            attempt?: number;
            /** @enum {string} */
            verdict: "right" | "wrong";
            because?: string;
        };
        Reassign: {
            step: string;
            agent?: string;
            because?: string;
        };
        MessageTaken: {
            attempt: string;
            agent: string;
            n: number;
        };
        SendMessage: {
            step: string;
            text: string;
        };
        Merged: {
            runId: string;
            into: string;
            commit: string;
            already: boolean;
        };
        Merge: {
            partial?: boolean;
        };
        Inbox: {
            items: components["schemas"]["InboxEntry"][];
        };
        InboxEntry: {
            item: string;
            runId: string;
            step: string;
            /** @enum {string} */
            kind: "approval" | "question" | "permission" | "budget" | "conflict";
            title: string;
            detail?: string;
            choices: string[];
            who: string[];
            /** @description Epoch milliseconds */
            openedAt: number;
            /** @description Epoch milliseconds */
            expiresAt?: number;
            attempt?: string;
            unblocks: number;
            /** @description Milliseconds */
            waitedMs: number;
            project: string;
            pipeline: string;
        };
        Answered: {
            runId: string;
            item: string;
            stillNeeded: number;
            driven: boolean;
        };
        Answer: {
            item: string;
            /** @enum {string} */
            verdict: "approve" | "reject" | "rework" | "answer";
            text?: string;
        };
        Me: {
            actor: string;
            role: components["schemas"]["Role"];
            version: string;
            program: string;
            projects: components["schemas"]["Project"][];
        };
        /** @enum {string} */
        Role: "viewer" | "operator" | "approver";
        AgentsView: {
            project?: string;
            agents: components["schemas"]["AgentRow"][];
            attempts: components["schemas"]["LiveAttempt"][];
            queue: components["schemas"]["QueueDepth"];
            slots: {
                busy: number;
                total: number;
            };
            problem?: string;
        };
        AgentRow: {
            id: string;
            tier: string;
            executor: string;
            model?: string;
            account: string;
            slots?: number;
            busy: number;
            capabilities: string[];
            providerState?: components["schemas"]["ProviderState"];
        };
        LiveAttempt: {
            attempt: string;
            runId: string;
            agent?: string;
            lease: {
                holder: string;
                epoch: number;
                /** @description Epoch milliseconds */
                until: number;
                isGone: boolean;
            };
            live?: components["schemas"]["Liveness"];
        };
        CostView: {
            project?: string;
            /** @description Epoch milliseconds */
            since?: number;
            runs: number;
            timeZone: string;
            /** @enum {string} */
            by: "run" | "step" | "agent" | "model" | "tier" | "day" | "policy";
            rows: components["schemas"]["LedgerRow"][];
            total: components["schemas"]["LedgerRow"];
            savings: components["schemas"]["Savings"];
            problem?: string;
        };
        LedgerRow: {
            calls: number;
            inputTokens: number;
            cachedInputTokens: number;
            outputTokens: number;
            microUsd: number;
            /** @enum {string} */
            provenance: "reported" | "estimated" | "unknown";
            name: string;
            refused: number;
            attempts: number;
            accepted: number;
            microUsdPerAccepted?: number;
            figures: {
                reported: {
                    calls: number;
                    /** @description Millionths of a US dollar */
                    microUsd: number;
                };
                estimated: {
                    calls: number;
                    /** @description Millionths of a US dollar */
                    microUsd: number;
                };
                unknown: {
                    calls: number;
                    /** @description Millionths of a US dollar */
                    microUsd: number;
                };
            };
            listPriced: number;
            ownWord: number;
            scripted: number;
        };
        Savings: {
            /** @enum {string} */
            kind: "too-little";
            steps: number;
            needed: number;
        } | {
            /** @enum {string} */
            kind: "estimates";
            /** @description Millionths of a US dollar */
            spentMicroUsd: number;
            steps: number;
            counterfactuals: components["schemas"]["Counterfactual"][];
            missing: string[];
        };
        Counterfactual: {
            /** @enum {string} */
            name: "always-premium" | "best-single";
            agent: string;
            microUsd: {
                mean: number;
                low: number;
                high: number;
            };
            saved: {
                mean: number;
                low: number;
                high: number;
            };
            right?: {
                counterfactual: {
                    mean: number;
                    low: number;
                    high: number;
                };
                actual: number;
            };
            steps: number;
            seen: number;
            attempts: number;
            /** @enum {boolean} */
            isEstimate: true;
            method: string;
        };
        GatesView: {
            project?: string;
            /** @description Epoch milliseconds */
            since?: number;
            runs: number;
            gates: {
                name: string;
                kind: string;
                verdicts: {
                    passed: number;
                    refused: number;
                    errored: number;
                };
                known: number;
                takenForWrong: number;
                falseAccepts: {
                    hits: number;
                    of: number;
                    share: number;
                    low: number;
                    high: number;
                };
                caughtElsewhere: number;
                falseRefusals: {
                    hits: number;
                    of: number;
                    share: number;
                    low: number;
                    high: number;
                };
                /** @description Milliseconds */
                durationMs: number;
                /** @description Millionths of a US dollar */
                microUsd?: number;
            }[];
            together: {
                falseAccept: number;
                falseRefuse: number;
                falseAcceptInterval: {
                    low: number;
                    high: number;
                };
                falseRefuseInterval: {
                    low: number;
                    high: number;
                };
                counts: {
                    wrong: number;
                    wrongAccepted: number;
                    right: number;
                    rightRefused: number;
                };
                isAssumed: boolean;
            };
        };
        Settings: {
            project?: string;
            home: string;
            files: {
                path: string;
                isThere: boolean;
            }[];
            slots: number;
            /** @description Milliseconds */
            graceMs: number;
            tiers: string[];
            agents: {
                id: string;
                tier: string;
                executor: string;
                account: string;
                capabilities: string[];
                provider?: string;
                model?: string;
                preset?: string;
                credentials?: string;
                url?: string;
            }[];
            providers: {
                id: string;
                url: string;
                isLocal: boolean;
                isScripted: boolean;
                protocols: string[];
                keyEnv?: string;
                ready: {
                    ok: boolean;
                    problem?: string;
                    hint?: string;
                };
            }[];
            defaultAgent?: string;
            routing: {
                [key: string]: unknown;
            };
            fallback: {
                provider: string;
                model: string;
            }[];
            budgets: {
                fleet: {
                    /** @description Millionths of a US dollar */
                    limit: number;
                    /** @enum {string} */
                    per: "day" | "week" | "month" | "ever";
                }[];
                project: {
                    /** @description Millionths of a US dollar */
                    limit: number;
                    /** @enum {string} */
                    per: "day" | "week" | "month" | "ever";
                }[];
                /** @description Millionths of a US dollar */
                run?: number;
                /** @description Millionths of a US dollar */
                step?: number;
                /** @description Millionths of a US dollar */
                attempt?: number;
            };
            isolation: {
                ports: number;
                env: string[];
            } & {
                [key: string]: unknown;
            };
            sandbox: {
                /** @enum {string} */
                policy: "require" | "prefer" | "off";
                domains: string[];
                readable: string[];
                writable: string[];
            };
            quota?: {
                [key: string]: unknown;
            };
            protected: string[];
            setup: string[];
            teardown: string[];
            origins: {
                [key: string]: {
                    kind: string;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        Doctor: {
            ok: boolean;
            checks: {
                name: string;
                /** @enum {string} */
                verdict: "ok" | "note" | "problem";
                detail: string;
                hint?: string;
            }[];
        } & {
            [key: string]: unknown;
        };
        LoginLink: {
            url: string;
            role: components["schemas"]["Role"];
            /** @description Epoch milliseconds */
            expiresAt: number;
        };
        AskLink: {
            /** @enum {string} */
            role?: "viewer" | "operator" | "approver";
            to?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
