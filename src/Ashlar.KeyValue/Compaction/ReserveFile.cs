using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// The file that holds the space of <see cref="SpaceReserve"/>: without content, read by nobody, listed by no manifest. Whatever a crash
/// leaves of it is right. Its owner lets in one caller at a time.
/// </summary>
sealed class ReserveFile
{
    /// <summary>Space comes in pages: what is less than one could never be kept.</summary>
    public const long PageBytes = 4096;

    readonly StoreFiles files;
    long held;

    public ReserveFile(StoreFiles files)
    {
        this.files = files;
        held = Look();
    }

    /// <summary>What it has.</summary>
    public long HeldBytes => Volatile.Read(ref held);

    public string Path => files.ReservePath;

    public static long WholePages(long bytes) => bytes / PageBytes * PageBytes;

    /// <summary>Gives up a part of what an earlier process kept, so that the store can be opened on a full disk.</summary>
    /// <returns>Whether there was anything to give up.</returns>
    public static bool Release(StoreFiles files, double share)
    {
        if (!files.FileSystem.FileExists(files.ReservePath)) return false;
        using (var file = files.FileSystem.Open(files.ReservePath, FileOpenMode.Existing))
        {
            var left = WholePages((long)(file.LengthBytes * (1 - share)));
            if (share < 1 && left > 0)
            {
                file.SetLength(left);
                return true;
            }
        }

        files.TryDelete(files.ReservePath);
        return true;
    }

    /// <summary>Grows by as much as there is room for, at most to a length, and by no more than may be taken.</summary>
    public void Grow(long target, long max)
    {
        var piece = WholePages(Math.Min(target - held, max));
        while (piece >= PageBytes && held < target)
        {
            piece = Math.Min(piece, target - held);
            if (!TryAllocate(piece)) piece = WholePages(piece / 2);
        }
    }

    /// <summary>Gives up what is beyond a length.</summary>
    public void Shrink(long bytes)
    {
        bytes = WholePages(Math.Max(0, bytes));
        try
        {
            if (bytes == 0)
            {
                if (files.FileSystem.FileExists(Path)) files.FileSystem.Delete(Path);
            }
            else
            {
                using var file = files.FileSystem.Open(Path, FileOpenMode.Existing);
                file.SetLength(bytes);
            }
        }
        catch (StorageException)
        {
            // Whoever needs the space finds out.
        }

        Volatile.Write(ref held, bytes);
    }

    // What an earlier process kept; nothing, where that cannot be found out.
    long Look()
    {
        try
        {
            if (!files.FileSystem.FileExists(Path)) return 0;
            using var file = files.FileSystem.Open(Path, FileOpenMode.ReadOnly);
            return Math.Min(file.LengthBytes, file.AllocatedBytes);
        }
        catch (StorageException)
        {
            return 0;
        }
    }

    bool TryAllocate(long bytes)
    {
        try
        {
            using var file = files.FileSystem.Open(Path, FileOpenMode.OpenOrCreate);
            FileSpace.Extend(file, held, bytes);
            Volatile.Write(ref held, held + bytes);
            return true;
        }
        catch (StorageException)
        {
            Shrink(held); // Of what it failed to get it may have a part.
            return false;
        }
    }
}
