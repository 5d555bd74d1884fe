using System.Diagnostics;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>The volume that power cuts are made on: what is read from it after a cut is what its device holds, or it says that it is broken.</summary>
public sealed class LoopVolumeTests
{
    [PowerCutFact]
    public void What_was_flushed_is_read_after_each_of_many_cuts()
    {
        using var volume = new LoopVolume();
        for (var cut = 0; cut < 20; cut++)
        {
            var path = Path.Combine(volume.MountPoint, $"file-{cut}");
            using (var file = File.Create(path))
            {
                file.Write("flushed"u8);
                file.Flush(flushToDisk: true);
            }

            volume.CutPower();
            volume.Remount();
            Assert.Null(volume.WhyBroken);
            Assert.Equal("flushed", File.ReadAllText(path));
        }
    }

    // A mount of a file system that is still mounted elsewhere is that very one, which has no power: every read fails, whatever was stored.
    [PowerCutFact("unshare")]
    public void A_file_system_that_somebody_else_still_has_is_told_from_one_that_was_mounted_again()
    {
        using var volume = new LoopVolume();
        File.WriteAllText(Path.Combine(volume.MountPoint, "file"), "content");
        using var other = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--propagation", "private", "sh", "-c", "echo has it; exec sleep 600"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        try
        {
            Assert.Equal("has it", other.StandardOutput.ReadLine());
            volume.CutPower();
            var error = Assert.Throws<BrokenVolumeException>(volume.Remount);
            Assert.Contains("in use by somebody else", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }
    }
}
