namespace Ashlar.Files;

/// <summary>What may be done with a block.</summary>
public enum BlockState
{
    /// <summary>Files may refer to it.</summary>
    Live = 1,

    /// <summary>The collector found nothing that refers to it; whoever does makes it live again.</summary>
    Condemned,

    /// <summary>It is being removed from its nodes. Nothing refers to it or ever will: the same content is uploaded anew.</summary>
    Deleting,
}

/// <summary>Where a block is.</summary>
public sealed record BlockLocations
{
    /// <summary>Whose block.</summary>
    public required CustomerId Customer { get; init; }

    /// <summary>Which block.</summary>
    public required BlockName Name { get; init; }

    /// <summary>Both.</summary>
    public CustomerBlock Id => new(Customer, Name);

    /// <summary>Its length.</summary>
    public required int LengthBytes { get; init; }

    /// <summary>What may be done with it.</summary>
    public required BlockState State { get; init; }

    /// <summary>How many copies it should have.</summary>
    public required int WantedCopies { get; init; }

    /// <summary>Nodes that hold a copy which was made durable, in their order.</summary>
    public required IReadOnlyList<NodeId> Nodes { get; init; }

    /// <summary>Grows with each change of the state or the nodes.</summary>
    public required ulong Version { get; init; }

    /// <summary>When an upload last referred to it, to the hour.</summary>
    public required DateTimeOffset LastUsedAt { get; init; }
}
