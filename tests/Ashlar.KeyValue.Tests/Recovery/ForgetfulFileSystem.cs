using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A disk under a kernel that marks pages clean when a sync of them fails, as Linux does: they can still be read, later syncs succeed
/// and skip them, and a power cut takes them. Only writing them again helps.
/// </summary>
sealed class ForgetfulFileSystem() : PassingFileSystem(new SimulatedFileSystem(isRecording: false))
{
    readonly List<Change> unsynced = [];

    public bool FailsSyncs { get; set; }

    /// <summary>Undoes what never reached the disk, the newest first.</summary>
    public void LosePower()
    {
        for (var i = unsynced.Count - 1; i >= 0; i--)
        {
            if (!FileExists(unsynced[i].Path)) continue;
            using var file = base.Open(unsynced[i].Path, FileOpenMode.Existing);
            file.Write(unsynced[i].Before, unsynced[i].Offset);
        }

        unsynced.Clear();
    }

    public override IFile Open(string path, FileOpenMode mode) => new File(this, base.Open(path, mode));

    sealed record Change(string Path, long Offset, byte[] Before)
    {
        public bool IsForgotten { get; set; }

        public long End => Offset + Before.Length;
    }

    sealed class File(ForgetfulFileSystem disk, IFile inner) : PassingFile(inner)
    {
        public override void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            var before = new byte[source.Length];
            Read(before, offsetBytes); // What lies behind the end reads as zeros after the cut.
            var (start, end) = (offsetBytes, offsetBytes + source.Length);
            foreach (var change in disk.unsynced.Where(change => change.Path == Path && change.Offset >= start && change.End <= end))
                change.IsForgotten = false;
            disk.unsynced.Add(new Change(Path, offsetBytes, before));
            base.Write(source, offsetBytes);
        }

        public override void Sync()
        {
            if (!disk.FailsSyncs)
            {
                disk.unsynced.RemoveAll(change => change.Path == Path && !change.IsForgotten);
                return;
            }

            foreach (var change in disk.unsynced.Where(change => change.Path == Path)) change.IsForgotten = true;
            throw StorageException.FromErrno("fdatasync", Path, Errno.InputOutput, "planted fault");
        }
    }
}
