using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>A storage node: a directory, a disk of its own perhaps, that keeps blocks of files.</summary>
public sealed record FileNode
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Node".</summary>
    public string Kind { get; init; } = "Node";

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>What it is known by, also in its directory; absent while it is being made.</summary>
    public string? Id { get; init; }

    /// <summary>Its directory.</summary>
    public required string Path { get; init; }

    /// <summary>What is lost together has the same; absent for the file system that it is on.</summary>
    public string? Domain { get; init; }

    /// <summary>One of <see cref="FileNodeStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Why it cannot be used, or not for everything.</summary>
    public string? Problem { get; init; }

    /// <summary>Bytes that blocks may still take; absent where that is not known.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>Requests that it has and has not answered.</summary>
    public int QueueLength { get; init; }

    /// <summary>Calls on its disk that have failed since it was opened.</summary>
    public long ErrorCount { get; init; }
}

/// <summary>States of a storage node.</summary>
public static class FileNodeStates
{
    /// <summary>It is used for everything.</summary>
    public const string Up = "up";

    /// <summary>It is read from only: a flush has failed.</summary>
    public const string Suspect = "suspect";

    /// <summary>It cannot be used: its disk is not there, say.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>It is being emptied: read from only.</summary>
    public const string Draining = "draining";

    /// <summary>It will not come back; its copies are made elsewhere.</summary>
    public const string Lost = "lost";
}

/// <summary>Storage nodes, in the order in which they were added.</summary>
public sealed record FileNodeList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"NodeList".</summary>
    public string Kind { get; init; } = "NodeList";

    /// <summary>The nodes.</summary>
    public required IReadOnlyList<FileNode> Items { get; init; }

    /// <summary>Where the next page is; absent on the last.</summary>
    public string? Next { get; init; }
}

/// <summary>A storage node to be added.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AddFileNode
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>A directory of the server's machine that is empty, or not there; its parent is.</summary>
    public required string Path { get; init; }

    /// <summary>What is lost together has the same; absent for the file system that it is on.</summary>
    public string? Domain { get; init; }
}

/// <summary>What is to change of a storage node.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeFileNode
{
    /// <summary>What is lost together has the same; empty for the file system that it is on; absent for as it is.</summary>
    public string? Domain { get; init; }
}

/// <summary>How a storage node is to be emptied.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DrainFileNode
{
    /// <summary>How much may be copied in a second; absent or 0 for as much as it can.</summary>
    public long? BytesPerSecond { get; init; }
}

/// <summary>What emptying a storage node would take, and what keeps it from being emptied.</summary>
public sealed record FileNodeDrain
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"NodeDrain".</summary>
    public string Kind { get; init; } = "NodeDrain";

    /// <summary>The node.</summary>
    public required string Node { get; init; }

    /// <summary>Blocks that it has.</summary>
    public required long BlockCount { get; init; }

    /// <summary>Bytes that they take.</summary>
    public required long BlockBytes { get; init; }

    /// <summary>What keeps it from being emptied, a sentence each; empty where nothing does.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}
