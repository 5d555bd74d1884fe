using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Takes the rows of the tables, as they come.</summary>
interface ICatalogueTarget
{
    void Add(CatalogueVolume volume);

    void Add(CatalogueVolume volume, CatalogueSnapshot snapshot);

    /// <summary>A block of 4,096 bytes.</summary>
    void AddBlock(CatalogueVolume volume, long logicalBlock, string physicalNode, long physicalOffset);
}
