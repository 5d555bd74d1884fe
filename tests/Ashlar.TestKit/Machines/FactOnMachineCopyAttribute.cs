using Xunit;

namespace Ashlar.TestKit;

/// <summary>A fact that needs a copy of the machine, and programs of it. Where there can be none the test is skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactOnMachineCopyAttribute : FactAttribute
{
    static readonly Lazy<string?> Impossible = new(MachineCopy.WhyNot);

    public FactOnMachineCopyAttribute(params string[] tools)
    {
        Tools = tools;
        if (Impossible.Value is { } reason) Skip = TestGroups.NotRun(TestGroups.MachineCopies, reason);
        else if (ExternalTool.WhyNot(tools) is { } missing) Skip = TestGroups.NotRun(TestGroups.Interop, missing);
    }

    /// <summary>Names of the programs and libraries.</summary>
    public IReadOnlyList<string> Tools { get; }
}
