namespace Ashlar.Simulation;

/// <summary>
/// 4 KiB of a simulated file. Pages are shared between images of a disk; only the <see cref="FileNode"/> whose token a page
/// carries may change it, everyone else copies it first.
/// </summary>
sealed class Page
{
    public const int SizeBytes = 4096;

    /// <summary>Space that is allocated but was never written. Nobody owns it, so nobody changes it.</summary>
    public static readonly Page Zero = new(owner: null);

    readonly object? owner;
    UInt128? hash;

    Page(object? owner) => this.owner = owner;

    public byte[] Bytes { get; } = new byte[SizeBytes];

    /// <summary>Content hash; equal for equal bytes.</summary>
    public UInt128 Hash => hash ??= ContentHash.Of(Bytes);

    /// <summary>A page that <paramref name="token"/> may change: this one or a copy. Its hash is forgotten.</summary>
    public Page Own(object token)
    {
        if (ReferenceEquals(owner, token))
        {
            hash = null;
            return this;
        }

        var copy = new Page(token);
        Bytes.CopyTo(copy.Bytes, 0);
        return copy;
    }
}
