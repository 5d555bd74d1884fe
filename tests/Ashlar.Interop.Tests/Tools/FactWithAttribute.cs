using System.Runtime.InteropServices;

namespace Ashlar.Interop.Tests.Tools;

/// <summary>A test that needs programs or shared libraries of the machine. Without them it is skipped, and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class FactWithAttribute : FactAttribute
{
    public FactWithAttribute(params string[] needs)
    {
        var missing = needs.Where(need => !IsPresent(need)).ToArray();
        if (missing.Length > 0)
            Skip = $"not run: {string.Join(", ", missing)} missing (eng/install-test-tools.sh names the packages)";
    }

    static bool IsPresent(string need) => need switch
    {
        "qemu-block-iscsi" => Directory.Exists("/usr/lib") && Directory
            .EnumerateFiles("/usr/lib", "block-iscsi.so", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .Any(),
        _ when need.Contains(".so", StringComparison.Ordinal) => IsLoadable(need),
        _ => Tool.Find(need) is not null,
    };

    static bool IsLoadable(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle)) return false;
        NativeLibrary.Free(handle);
        return true;
    }
}
