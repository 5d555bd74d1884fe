namespace Ashlar.Planning;

/// <summary>How a key finds its partition.</summary>
public enum PlacementRule
{
    /// <summary>A hash, scaled to the number of partitions: what Ashlar's sharded key-value store does.</summary>
    Hash = 0,

    /// <summary>A hash modulo the number of partitions.</summary>
    Modulo,

    /// <summary>Partitions are ranges of keys, equal at first; a node that joins takes half of the busiest.</summary>
    Range,

    /// <summary>Consistent hashing: each node has many points on a ring, and a key belongs to the next one.</summary>
    Ring,

    /// <summary>Rendezvous: a key belongs to the node whose hash with it is highest.</summary>
    Rendezvous,

    /// <summary>As hash, but operations on the hottest keys go round several partitions.</summary>
    Salted,
}

/// <summary>Which keys are asked for.</summary>
public enum KeyDistribution
{
    /// <summary>All alike.</summary>
    Uniform = 0,

    /// <summary>The k-th most popular key in proportion to 1 / k^s. Popular keys are anywhere in the order of keys.</summary>
    Zipf,

    /// <summary>Each operation brings a new key that sorts after all others, as a time stamp does.</summary>
    Time,

    /// <summary>One key gets a share of its own; the rest is uniform.</summary>
    Celebrity,
}
