using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>A storage node as the server has it: what it remembers of it, and whether it could open it.</summary>
sealed class ServedNode(RememberedNode record, string path)
{
    /// <summary>What the server remembers of it.</summary>
    public RememberedNode Record { get; set; } = record;

    /// <summary>Where its directory is.</summary>
    public string Path { get; } = path;

    /// <summary>It, while it is open.</summary>
    public DirectoryNode? Open { get; set; }

    /// <summary>Why it is not open.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether it could not be used when it was last looked at: when it comes back it is compared with the metadata.</summary>
    public bool WasAway { get; set; }

    public string Name => Record.Name;
}
