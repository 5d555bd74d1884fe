using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>Which syncs of a device file are left out.</summary>
enum SkippedSyncs
{
    All = 0,

    /// <summary>Those before the states are written.</summary>
    OfData,

    /// <summary>Those after.</summary>
    OfStates,
}

/// <summary>A disk that forgets syncs of a device file: the mistake is planted below the device, not in it.</summary>
sealed class SkippingFileSystem(IFileSystem inner, SkippedSyncs skipped) : PassingFileSystem(inner)
{
    public override IFile Open(string path, FileOpenMode mode) => new SkippingFile(base.Open(path, mode), skipped);

    sealed class SkippingFile(IFile inner, SkippedSyncs skipped) : PassingFile(inner)
    {
        const long StatesEnd = 4096; // Of a small device: header, counters and states lie before its data.

        bool hasStates;

        public override void Write(ReadOnlySpan<byte> source, long offsetBytes)
        {
            hasStates |= offsetBytes < StatesEnd;
            base.Write(source, offsetBytes);
        }

        public override void Sync()
        {
            var isOfStates = hasStates;
            hasStates = false;
            if (Path.EndsWith(".new", StringComparison.Ordinal)) base.Sync(); // Its creation is another test's.
            else if (skipped != SkippedSyncs.All && isOfStates != (skipped == SkippedSyncs.OfStates)) base.Sync();
        }
    }
}
