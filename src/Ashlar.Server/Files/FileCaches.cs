using Ashlar.Api;
using Ashlar.Files;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// What is kept of the content of files: in memory, and on a disk if one was named. A disk that is not there, or that somebody else uses,
/// is told of and passed by: files are read as they are without it.
/// </summary>
sealed class FileCaches : IDisposable
{
    /// <summary>Content that is kept in memory for readers.</summary>
    const long MemoryBytes = 64L << 20;

    readonly string? directory;
    readonly string? problem; // Why the disk could not be opened.
    readonly DiskCache? disk;
    readonly MemoryCache memory;

    FileCaches(IPieceSource source, string? directory, DiskCache? disk, string? problem)
    {
        (this.directory, this.disk, this.problem) = (directory, disk, problem);
        memory = new MemoryCache(disk ?? source, MemoryBytes);
    }

    /// <summary>Where blocks are read from.</summary>
    public IPieceSource Pieces => memory;

    /// <summary>Why the disk that was named is passed by; null if it is used, or none was named.</summary>
    public string? Problem => problem ?? disk?.Problem;

    /// <summary>Opens what the options name.</summary>
    public static FileCaches Open(ServerOptions options, BufferPool buffers, IPieceSource source, Action<LogEntry> report)
    {
        if (options.FileCacheDirectory is not { } directory) return new(source, null, null, null);
        try
        {
            var disk = DiskCache.OpenOrCreate(
                options.FileSystem, directory, options.FileCacheBytes, source, buffers, options.Entropy);
            return new(source, directory, disk, null);
        }
        catch (AshlarException e)
        {
            report(new(LogLevel.Warning, LogEvents.ServerNotice, $"files: cache {directory} is not used: {e.Message}"));
            return new(source, directory, null, e.Message);
        }
    }

    /// <summary>They at a glance.</summary>
    public FileCacheStatus GetStatus()
    {
        var (memoryHits, memoryMisses) = memory.Requests;
        var (hits, misses) = disk?.Requests ?? (0, 0);
        return new()
        {
            MemoryHits = memoryHits,
            MemoryMisses = memoryMisses,
            Directory = directory,
            DiskHits = hits,
            DiskMisses = misses,
            DiskBytes = (disk?.Count ?? 0) * (long)BufferPool.DefaultBufferBytes,
            DiskCapacityBytes = disk?.BoundBytes ?? 0,
            Problem = Problem,
        };
    }

    public void Dispose() => disk?.Dispose();
}
