namespace Ashlar.Files;

/// <summary>Which names are listed.</summary>
public sealed record ListRequest
{
    /// <summary>
    /// What names begin with, without the slash of the root; it may end within a component. The children of a directory are what begins
    /// with <see cref="FilePath.ChildPrefix"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Prefix { get; init; }

    /// <summary>
    /// Whether what lies in directories behind the prefix is listed too. Otherwise a directory stands for it, and a page costs what it
    /// holds, however much lies below.
    /// </summary>
    public bool IsRecursive { get; init; }

    /// <summary>
    /// Goes on behind here: <see cref="ListPage.Next"/> of the page before, or any bytes. Empty for the first page. Where directories stand
    /// for what is in them, one is listed if something in it sorts behind; its own key, with the slash, passes all of it.
    /// </summary>
    public ReadOnlyMemory<byte> After { get; init; }

    /// <summary>Most names.</summary>
    public int Limit { get; init; } = 1000;
}

/// <summary>A page of a listing.</summary>
/// <param name="Entries">The names.</param>
/// <param name="Next">Where the next page begins; empty if this is the last.</param>
public sealed record ListPage(IReadOnlyList<NamespaceEntry> Entries, ReadOnlyMemory<byte> Next);
