// Which object a query is about, and always whose it is.

export interface AssistantScope {
  project_id: string;
  assistant_id: string;
}

export interface ThreadScope {
  project_id: string;
  thread_id: string;
}

export interface MessageScope extends ThreadScope {
  message_id: string;
}

/** What every query about one run is given. */
export interface RunKey {
  id: string;
  project_id: string;
}

/** A run as a client names it. */
export interface RunScope extends RunKey {
  thread_id: string;
}

/** The steps of a run. */
export interface StepScope extends ThreadScope {
  run_id: string;
}

export interface FileScope {
  project_id: string;
  file_id: string;
}

export interface UploadScope {
  project_id: string;
  upload_id: string;
}

export interface StoreScope {
  project_id: string;
  vector_store_id: string;
}

/** A file in a store. */
export interface StoreFileScope extends StoreScope {
  file_id: string;
}

export interface FileBatchScope extends StoreScope {
  batch_id: string;
}
