namespace Ashlar.Nvme;

/// <summary>Names that the specification gives (NVM Express Base 2.0, 4.5).</summary>
public static class NvmeNames
{
    /// <summary>The subsystem of which every host may ask what there is.</summary>
    public const string Discovery = "nqn.2014-08.org.nvmexpress.discovery";
}
