namespace Ashlar.TestKit;

/// <summary>What qemu-img does with raw images: files, and what servers serve.</summary>
public static class QemuImage
{
    /// <summary>Copies an image to one that is there and as large, and flushes it, which qemu-img leaves out by itself.</summary>
    public static void Copy(string source, string target, TimeSpan? deadline = null) =>
        ExternalTool.Run(
            deadline ?? ExternalTool.DefaultDeadline,
            "qemu-img", "convert", "-n", "-t", "writeback", "-f", "raw", "-O", "raw", source, target).MustSucceed();

    /// <summary>Whether two images hold the same.</summary>
    public static bool AreEqual(string first, string second, TimeSpan? deadline = null)
    {
        const int different = 1;
        var result = ExternalTool.Run(
            deadline ?? ExternalTool.DefaultDeadline, "qemu-img", "compare", "-f", "raw", "-F", "raw", first, second);
        if (result.ExitCode == different) return false;
        result.MustSucceed();
        return true;
    }
}
