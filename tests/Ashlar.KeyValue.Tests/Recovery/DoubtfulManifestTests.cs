using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Several threads write edits. What left one in doubt is what all of them learn.</summary>
public sealed class DoubtfulManifestTests
{
    [Fact]
    public void An_edit_behind_one_in_doubt_fails_with_the_first_cause()
    {
        var faulty = new FaultyFileSystem(TestStore.NewDisk());
        faulty.CreateDirectory(TestStore.Directory);
        var options = TestStore.Small(faulty);
        var files = new StoreFiles(faulty, TestStore.Directory) { StoreId = new Guid(1, 2, 3, new byte[8]) };
        using var manifest = Manifest.Create(files, options);
        faulty.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        using (manifest.Gate.EnterScope())
        {
            var first = Assert.Throws<StorageException>(() => manifest.Append(new ManifestEdit { LastSequence = 1 }));
            var second = Assert.Throws<StorageException>(() => manifest.Append(new ManifestEdit { LastSequence = 2 }));
            Assert.Same(first, second);
            Assert.True(manifest.IsInDoubt);
        }
    }
}
