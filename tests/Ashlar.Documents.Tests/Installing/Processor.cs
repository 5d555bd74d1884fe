using System.Runtime.InteropServices;

namespace Ashlar.Documents.Tests;

/// <summary>A processor that the program is made for, and its names.</summary>
/// <param name="Debian">Of Debian's packages, and of container images.</param>
/// <param name="Profile">Of the profile by which the program is published.</param>
/// <param name="ElfMachine">e_machine of its programs.</param>
public sealed record Processor(string Debian, string Profile, ushort ElfMachine)
{
    static readonly Processor[] All = [new("amd64", "linux-x64", 62), new("arm64", "linux-arm64", 183)];

    /// <summary>This machine's.</summary>
    public static Processor Own { get; } = Named(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64");

    /// <summary>The other one: what is made for it cannot be started here.</summary>
    public static Processor Other { get; } = All.Single(each => each != Own);

    /// <summary>The own one, and in the deep tier also the other.</summary>
    public static IReadOnlyList<Processor> OfTier { get; } = TestTier.Choose<IReadOnlyList<Processor>>([Own], [Own, Other]);

    /// <summary>That of a name of Debian.</summary>
    public static Processor Named(string debian) => All.Single(each => each.Debian == debian);
}
