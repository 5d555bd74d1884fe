using Ashlar.Storage;

namespace Ashlar.KeyValue.Files;

/// <summary>
/// The files that readers have open, at most so many at a time: what was not read lately is closed, and opened again when it
/// is read.
/// </summary>
sealed class OpenFiles(IFileSystem fileSystem, int maxOpen)
{
    readonly Lock gate = new();
    readonly Queue<ReadableFile> open = [];
    int limit = maxOpen;
    int count;

    /// <summary>Files that are open now.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Opens a file that is only read from here.</summary>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    public IFile Open(string path)
    {
        var file = new ReadableFile(this, path);
        Open(file);
        return file;
    }

    /// <summary>For the file itself: its handle, opened again if it was closed.</summary>
    public IFile Open(ReadableFile file)
    {
        using (gate.Hold())
        {
            if (file.Handle is { } opened) return opened;
            ObjectDisposedException.ThrowIf(file.IsDisposed, file);
            while (count >= limit && open.TryDequeue(out var oldest))
            {
                if (oldest.Handle is null) continue;
                if (oldest.WasUsed)
                {
                    oldest.WasUsed = false;
                    open.Enqueue(oldest);
                    continue;
                }

                Close(oldest);
            }

            opened = fileSystem.Open(file.Path, FileOpenMode.ReadOnly);
            file.Handle = opened;
            open.Enqueue(file);
            Volatile.Write(ref count, count + 1);
            return opened;
        }
    }

    /// <summary>
    /// Closes half of the files, and keeps no more open from here on: the process may have fewer open than was thought.
    /// </summary>
    /// <returns>False if none was open.</returns>
    public bool CloseHalf()
    {
        using (gate.Hold())
        {
            if (count == 0) return false;
            limit = Math.Max(1, count / 2);
            for (var left = count / 2; count > left && open.TryDequeue(out var oldest);) Close(oldest);
            return true;
        }
    }

    /// <summary>For the file itself: nobody reads it any more.</summary>
    public void Dispose(ReadableFile file)
    {
        using (gate.Hold())
        {
            file.IsDisposed = true;
            Close(file);
            // Those that were closed stay in the queue until they come to its head, or are most of it.
            if (open.Count < 2 * (count + 16)) return;
            for (var left = open.Count; left > 0; left--)
            {
                var other = open.Dequeue();
                if (other.Handle is not null) open.Enqueue(other);
            }
        }
    }

    void Close(ReadableFile file)
    {
        if (file.Handle is not { } opened) return;
        file.Handle = null;
        Volatile.Write(ref count, count - 1);
        opened.Dispose();
    }
}
