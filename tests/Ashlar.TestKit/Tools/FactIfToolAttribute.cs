using Xunit;

namespace Ashlar.TestKit;

/// <summary>
/// A fact that needs programs or shared libraries of the machine. Where one is missing the test is skipped, and says which:
/// <c>[FactIfTool("qemu-img", "libnbd.so.0")]</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactIfToolAttribute : FactAttribute
{
    public FactIfToolAttribute(params string[] tools)
    {
        Tools = tools;
        var group = tools.Any(LanguageSdks.IsOne) ? TestGroups.Sdks : TestGroups.Interop;
        if (ExternalTool.WhyNot(tools) is { } reason) Skip = TestGroups.NotRun(group, reason);
    }

    /// <summary>Names of the programs and libraries.</summary>
    public IReadOnlyList<string> Tools { get; }
}
