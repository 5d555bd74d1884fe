namespace Ashlar.Blocks.FileSystem;

/// <summary>A page of a file in memory. What lies behind the file's end is zeros.</summary>
sealed class CachedPage
{
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(Region.PageBytes);

    public Inode? Owner { get; set; }

    public long Index { get; set; }

    /// <summary>Whether it holds what is not on its way to the device yet.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Whether it is on its way to the device, and must not be forgotten.</summary>
    public bool IsBeingWritten { get; set; }

    public CachedPage? Newer { get; set; }

    public CachedPage? Older { get; set; }
}
