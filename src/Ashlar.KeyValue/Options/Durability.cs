namespace Ashlar.KeyValue;

/// <summary>What a write has survived when the call returns.</summary>
public enum Durability
{
    /// <summary>Power loss: the write is on stable storage. Concurrent writers share one flush.</summary>
    Sync = 0,

    /// <summary>
    /// The death of the process. After power loss the store holds a prefix of history; how much may be missing is bounded by
    /// <see cref="KeyValueOptions.RelaxedLossTime"/> and <see cref="KeyValueOptions.RelaxedLossBytes"/>.
    /// </summary>
    Relaxed,

    /// <summary>
    /// The death of the process. After power loss the store holds a prefix of history; nothing bounds how much may be missing
    /// but the memory for writes (<see cref="KeyValueOptions.MemTableBytes"/>). Flushes for others make it durable too.
    /// </summary>
    Unflushed,
}
