using System.Collections.Concurrent;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Victim;

/// <summary>A disk on which the files of the log are not what they seem. Nobody who lives can tell.</summary>
abstract class LyingFileSystem(IFileSystem inner) : PassingFileSystem(inner)
{
    public override IFile Open(string path, FileOpenMode mode)
    {
        var file = base.Open(path, mode);
        return Path.GetFileName(path).StartsWith("log-", StringComparison.Ordinal) ? Lie(path, file) : file;
    }

    protected abstract IFile Lie(string path, IFile file);
}

/// <summary>Each write reaches the page cache only when the next one comes, or a read, as if it were acknowledged too early.</summary>
sealed class LateWrites(IFileSystem inner) : LyingFileSystem(inner)
{
    readonly ConcurrentDictionary<string, Held> held = new(StringComparer.Ordinal);

    protected override IFile Lie(string path, IFile file) => new LateFile(file, held.GetOrAdd(path, _ => new()));

    /// <summary>A write to a path that somebody else may have open as well.</summary>
    sealed class Held
    {
        Action? write;

        public void Replace(Action? next)
        {
            lock (this)
            {
                write?.Invoke();
                write = next;
            }
        }
    }

    sealed class LateFile(IFile file, Held held) : PassingFile(file)
    {
        public override void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            var bytes = source.ToArray();
            held.Replace(() => base.Write(bytes, offsetBytes));
        }

        public override int Read(Span<byte> destination, long offsetBytes)
        {
            held.Replace(null);
            return base.Read(destination, offsetBytes);
        }

        public override bool TryReadCached(Span<byte> destination, long offsetBytes, out int bytesRead)
        {
            held.Replace(null);
            return base.TryReadCached(destination, offsetBytes, out bytesRead);
        }

        protected override void Dispose(bool disposing)
        {
            held.Replace(null);
            base.Dispose(disposing);
        }
    }
}

/// <summary>Only the first flush of a file reaches the disk.</summary>
sealed class SkippedFlushes(IFileSystem inner) : LyingFileSystem(inner)
{
    protected override IFile Lie(string path, IFile file) => new FlushedOnce(file);

    sealed class FlushedOnce(IFile file) : PassingFile(file)
    {
        int flushes;

        public override void Sync()
        {
            if (Interlocked.Increment(ref flushes) == 1) base.Sync();
        }
    }
}
