using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Ashlar.Architecture.Tests;

/// <summary>Dependencies point one way. The table is the architecture; a new arrow is a decision, not an accident.</summary>
public sealed class ProjectReferenceTests
{
    [Theory]
    [InlineData("Ashlar.Api", "")]
    [InlineData("Ashlar.Storage", "")]
    [InlineData("Ashlar.Planning", "")]
    [InlineData("Ashlar.KeyValue", "Ashlar.Storage")]
    [InlineData("Ashlar.KeyValue.Sharding", "Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Extensions", "Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Caching", "Ashlar.KeyValue Ashlar.KeyValue.Extensions")]
    [InlineData("Ashlar.Blocks", "Ashlar.Storage")]
    [InlineData("Ashlar.Volumes", "Ashlar.Blocks Ashlar.KeyValue Ashlar.Storage")]
    [InlineData("Ashlar.Files", "Ashlar.KeyValue Ashlar.Storage")]
    [InlineData("Ashlar.S3", "Ashlar.Files Ashlar.Storage")]
    [InlineData("Ashlar.Transport", "Ashlar.Storage")]
    [InlineData("Ashlar.Nbd", "Ashlar.Blocks Ashlar.Transport")]
    [InlineData("Ashlar.Nvme", "Ashlar.Blocks Ashlar.Transport")]
    [InlineData("Ashlar.Scsi", "Ashlar.Blocks")]
    [InlineData("Ashlar.Iscsi", "Ashlar.Blocks Ashlar.Scsi Ashlar.Transport")]
    public void A_layer_references_only_the_layers_below_it(string project, string expected) =>
        Assert.Equal(expected, string.Join(' ', References(project, "ProjectReference").Order(StringComparer.Ordinal)));

    [Theory]
    [InlineData("Ashlar.Storage", "")]
    [InlineData("Ashlar.Planning", "")]
    [InlineData("Ashlar.KeyValue", "")]
    [InlineData("Ashlar.KeyValue.Sharding", "")]
    [InlineData("Ashlar.Blocks", "System.IO.Hashing")]
    [InlineData("Ashlar.Volumes", "System.IO.Hashing")]
    [InlineData("Ashlar.Files", "System.IO.Hashing")]
    public void The_engine_and_the_planner_have_no_package_dependencies_and_the_data_plane_has_a_hash(string project, string expected) =>
        Assert.Equal(expected, string.Join(' ', References(project, "PackageReference")));

    /// <remarks>What stands on a package stands on what any user of it sees.</remarks>
    [Theory]
    [InlineData("Ashlar.Storage")]
    [InlineData("Ashlar.Blocks")]
    [InlineData("Ashlar.Planning")]
    [InlineData("Ashlar.KeyValue")]
    [InlineData("Ashlar.KeyValue.Caching")]
    [InlineData("Ashlar.KeyValue.Extensions")]
    [InlineData("Ashlar.KeyValue.Sharding")]
    public void Only_tests_see_what_is_internal_to_a_package(string project) =>
        Assert.All(
            Assembly.Load(project).GetCustomAttributes<InternalsVisibleToAttribute>(),
            seer => Assert.EndsWith(".Tests", seer.AssemblyName, StringComparison.Ordinal));

    static IEnumerable<string> References(string project, string kind) =>
        XDocument.Load(Path.Combine(Repository.SourceDirectory, project, $"{project}.csproj"))
            .Descendants(kind)
            .Select(reference => Path.GetFileName(((string)reference.Attribute("Include")!).Replace('\\', '/')).Replace(".csproj", ""));
}
