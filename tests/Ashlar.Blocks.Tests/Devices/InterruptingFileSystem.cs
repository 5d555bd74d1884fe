using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>
/// Lets a test do something at the moment a sync has done its work and its caller has not gone on, or a write is about to do its work.
/// </summary>
sealed class InterruptingFileSystem(IFileSystem inner) : PassingFileSystem(inner)
{
    /// <summary>Run once, after the next sync of a file.</summary>
    public Action? AfterSync { get; set; }

    /// <summary>Run once, before the next write of a file, of which nothing is there yet.</summary>
    public Action? BeforeWrite { get; set; }

    public override IFile Open(string path, FileOpenMode mode) => new InterruptingFile(this, base.Open(path, mode));

    sealed class InterruptingFile(InterruptingFileSystem owner, IFile inner) : PassingFile(inner)
    {
        public override void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            var action = owner.BeforeWrite;
            owner.BeforeWrite = null;
            action?.Invoke();
            base.Write(source, offsetBytes);
        }

        public override void Sync()
        {
            base.Sync();
            var action = owner.AfterSync;
            owner.AfterSync = null;
            action?.Invoke();
        }
    }
}
