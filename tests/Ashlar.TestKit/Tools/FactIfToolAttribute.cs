using Xunit;

namespace Ashlar.TestKit;

/// <summary>
/// A fact that needs programs installed on the machine. Where one is missing the test is skipped, and says which:
/// <c>[FactIfTool("qemu-img", "nbdinfo")]</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactIfToolAttribute : FactAttribute
{
    public FactIfToolAttribute(params string[] tools)
    {
        Tools = tools;
        var missing = tools.Where(tool => ExternalTool.Find(tool) is null).ToArray();
        if (missing.Length > 0) Skip = $"not installed: {string.Join(", ", missing)}";
    }

    /// <summary>Names of the programs.</summary>
    public IReadOnlyList<string> Tools { get; }
}
