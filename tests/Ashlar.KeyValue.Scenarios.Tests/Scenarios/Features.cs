namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>What a scenario makes use of, beside writing, reading, merging and reopening.</summary>
[Flags]
public enum Features
{
    None = 0,

    /// <summary>Several engines as one store.</summary>
    Shards = 1 << 0,

    /// <summary>Keys whose writes go to any shard.</summary>
    SaltedKeys = 1 << 1,

    /// <summary>Backups are made and deleted, and the store goes on from one.</summary>
    Backups = 1 << 2,

    /// <summary>The log is archived, and the archive pruned.</summary>
    Archive = 1 << 3,

    /// <summary>The disk fills up now and then.</summary>
    FullDisk = 1 << 4,

    /// <summary>The store goes on from what repair made of it.</summary>
    Repair = 1 << 5,

    /// <summary>Entries come at one end and go at the other, so that tombstones gather.</summary>
    Queue = 1 << 6,

    /// <summary>Values expire.</summary>
    Expiry = 1 << 7,

    /// <summary>Some values are longer than what recovery looks at in one go.</summary>
    LongValues = 1 << 8,

    /// <summary>Snapshots and cursors are held while others write.</summary>
    Readers = 1 << 9,

    /// <summary>Ranges of keys are deleted at once.</summary>
    RangeDeletes = 1 << 10,

    /// <summary>Batches are written only if keys are as their writer believes.</summary>
    Conditions = 1 << 11,

    /// <summary>Keyspaces are opened, written to and dropped; not with shards, which have none.</summary>
    Keyspaces = 1 << 12,

    /// <summary>Transactions are open while others write; not with shards, which have none.</summary>
    Transactions = 1 << 13,
}
