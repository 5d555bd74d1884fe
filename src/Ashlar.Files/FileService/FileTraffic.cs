namespace Ashlar.Files;

/// <summary>What has passed through a file service since it began. Any thread.</summary>
public sealed class FileTraffic
{
    long readBytes, writtenBytes, knownBlocks, newBlocks;

    /// <summary>Bytes of files that readers were given.</summary>
    public long ReadBytes => Interlocked.Read(ref readBytes);

    /// <summary>Bytes of content that came, whatever became of it.</summary>
    public long WrittenBytes => Interlocked.Read(ref writtenBytes);

    /// <summary>Blocks of uploads that the store had, and those that it had not.</summary>
    public (long Known, long New) Blocks => (Interlocked.Read(ref knownBlocks), Interlocked.Read(ref newBlocks));

    internal void AddRead(long bytes) => Interlocked.Add(ref readBytes, bytes);

    internal void AddWritten(long bytes) => Interlocked.Add(ref writtenBytes, bytes);

    internal void AddBlock(bool isKnown) => Interlocked.Increment(ref isKnown ? ref knownBlocks : ref newBlocks);
}
