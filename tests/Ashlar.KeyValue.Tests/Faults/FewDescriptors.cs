using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk of which no more than so many files may be open at a time, as a process is allowed by ulimit.</summary>
sealed class FewDescriptors(IFileSystem inner, int most) : PassingFileSystem(inner)
{
    int open;

    /// <summary>How often one more was refused.</summary>
    public int Refused { get; private set; }

    public override IFile Open(string path, FileOpenMode mode)
    {
        if (open == most)
        {
            Refused++;
            throw StorageException.FromErrno("open", path, Errno.TooManyFiles);
        }

        var file = base.Open(path, mode);
        open++;
        return new CountedFile(this, file);
    }

    sealed class CountedFile(FewDescriptors owner, IFile file) : PassingFile(file)
    {
        bool isClosed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (!isClosed) owner.open--;
            isClosed = true;
        }
    }
}
