using ChemScale.Engine.Operators.ForceFields;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>What is kept of a block: values, then gradients of E by them. Without memory it is only counted.</summary>
internal sealed unsafe class AllegroMemory<T>
    where T : unmanaged
{
    public AllegroMemory(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, T* memory)
    {
        var pieces = new Pieces<T>(memory);
        long n = block.Edges, radial = layout.TwoBody.First.Inputs;
        Geometry = new EdgeGeometry<T>(
            pieces.Take(n * AllegroGeometry.Scalars), pieces.Take(n * radial), pieces.Take(n * radial), pieces.Take(n * settings.Components),
            pieces.Take(3 * n * settings.Components));
        TwoBody = new HiddenMemory<T>(layout.TwoBody, n, ref pieces);
        Raw = pieces.Take(layout.TwoBody.Hidden > 0 ? 0 : n * layout.Latent);
        Layers = new LayerMemory<T>[layout.Layers.Length];
        for (int t = 0; t < Layers.Length; t++)
        {
            AllegroLayerLayout layer = layout.Layers[t];
            int stride = layout.Latent + layer.Scalars * layout.Channels;
            Layers[t] = new LayerMemory<T>(
                stride, pieces.Take(n * stride), pieces.Take(n * stride), pieces.Take(n * layer.Weights.Outputs),
                pieces.Take(t == 0 ? 0 : n * settings.Products[t].Left * layout.Channels),
                pieces.Take((long)block.Atoms * settings.Components * layout.Channels), new HiddenMemory<T>(layer.Latent, n, ref pieces));
        }
        Numbers = pieces.Numbers;
    }

    public EdgeGeometry<T> Geometry { get; }

    public HiddenMemory<T> TwoBody { get; }

    /// <summary>(edges, D) latent features before the cutoff function, where the two-body perceptron has no hidden layer.</summary>
    public T* Raw { get; }

    public LayerMemory<T>[] Layers { get; }

    public long Numbers { get; }
}

/// <summary>Hidden layers of a perceptron: before activation, and gradients of E after it.</summary>
internal sealed unsafe class HiddenMemory<T>
    where T : unmanaged
{
    public HiddenMemory(Perceptron of, long n, ref Pieces<T> pieces)
    {
        (Before, ByAfter) = (new T*[of.Hidden], new T*[of.Hidden]);
        for (int i = 0; i < of.Hidden; i++)
        {
            Before[i] = pieces.Take(n * of.Width(i));
            ByAfter[i] = pieces.Take(n * of.Width(i));
        }
    }

    public T*[] Before { get; }

    public T*[] ByAfter { get; }
}

/// <summary>A layer.</summary>
/// <param name="stride">Of X.</param>
/// <param name="x">(edges, D + scalars) latent features, then scalars of the product</param>
/// <param name="byX">Gradients of E by them.</param>
/// <param name="w">(edges, sets (L + 1) U) weights of harmonics</param>
/// <param name="features">(components, edges, U), but for the first layer, which has them from w</param>
/// <param name="environments">(atoms, (L + 1)^2, U)</param>
/// <param name="latent">Its perceptron.</param>
internal sealed unsafe class LayerMemory<T>(int stride, T* x, T* byX, T* w, T* features, T* environments, HiddenMemory<T> latent)
    where T : unmanaged
{
    public int Stride => stride;

    public T* X { get; } = x;

    public T* ByX { get; } = byX;

    public T* W { get; } = w;

    public T* Features { get; } = features;

    public T* Environments { get; } = environments;

    public HiddenMemory<T> Latent => latent;
}

/// <summary>Room that both passes need.</summary>
internal abstract unsafe class AllegroRoom<T>
    where T : unmanaged
{
    protected AllegroRoom(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, ref Pieces<T> pieces)
    {
        long n = block.Edges, others = 0, terms = 0;
        int results = settings.Components;
        foreach (AllegroProduct product in settings.Products)
        {
            terms = Math.Max(terms, product.Entries.Count);
            MostComponents = Math.Max(MostComponents, product.Left);
            results = Math.Max(results, Math.Max(product.Left, product.Components));
            foreach (AllegroOutput output in product.Outputs.Skip(1)) others = Math.Max(others, output.Components * output.Paths);
        }
        foreach (AllegroLayerLayout layer in layout.Layers)
        {
            MostWeights = Math.Max(MostWeights, layer.Weights.Outputs);
            MostRead = Math.Max(MostRead, Math.Max(layer.Latent.First.Inputs, layer.Latent.Output.Inputs));
            for (int i = 0; i < layer.Latent.Hidden; i++) MostHidden = Math.Max(MostHidden, layer.Latent.Width(i));
        }
        for (int i = 0; i < layout.TwoBody.Hidden; i++) MostHidden = Math.Max(MostHidden, layout.TwoBody.Width(i));
        MostHidden = Math.Max(MostHidden, layout.Latent);
        MostRead = Math.Max(MostRead, MostHidden);
        ProductNumbers = n * others * layout.Channels;
        // Addresses are at whole lines, whatever the type.
        int size = sizeof(T);
        Room = new TermRows<T>
        {
            Starts = (int*)pieces.Take((results + 1) * sizeof(int) / size + 1),
            ResultPlaces = (int*)pieces.Take(results * sizeof(int) / size + 1),
            Places = (TermPlace*)pieces.Take(terms * sizeof(TermPlace) / size + 1),
            Values = pieces.Take(terms),
        };
        Envelope = pieces.Take(n);
        Scale = pieces.Take(n);
        Constant = pieces.Take(n);
        Features = pieces.Take(n * settings.Components * layout.Channels);
        ByFeatures = pieces.Take(n * MostComponents * layout.Channels);
        ByFeaturesBelow = pieces.Take(n * MostComponents * layout.Channels);
        ByEnvironments = pieces.Take((long)block.Atoms * settings.Components * layout.Channels);
        ByWeights = pieces.Take(n * MostWeights);
        Hidden = pieces.Take(n * MostHidden);
        ByRadial = pieces.Take(n * layout.TwoBody.First.Inputs);
        Product = pieces.Take(ProductNumbers);
    }

    public TermRows<T> Room { get; }

    /// <summary>(edges) cutoff function</summary>
    public T* Envelope { get; }

    /// <summary>(edges)</summary>
    public T* Scale { get; }

    /// <summary>(edges)</summary>
    public T* Constant { get; }

    /// <summary>(components, edges, U) of the first layer</summary>
    public T* Features { get; }

    /// <summary>Gradients of E by the features that a layer makes, then by those it has.</summary>
    public T* ByFeatures { get; }

    /// <summary>See <see cref="ByFeatures"/>.</summary>
    public T* ByFeaturesBelow { get; }

    public T* ByEnvironments { get; }

    public T* ByWeights { get; }

    public T* Hidden { get; }

    public T* ByRadial { get; }

    /// <summary>Of one representation.</summary>
    public T* Product { get; }

    protected int MostComponents { get; }

    protected int MostWeights { get; }

    /// <summary>Width of what an output matrix or a first one reads.</summary>
    protected int MostRead { get; }

    protected int MostHidden { get; }

    protected long ProductNumbers { get; }
}

/// <summary>Room of a forward pass.</summary>
internal sealed unsafe class ForwardRoom<T> : AllegroRoom<T>
    where T : unmanaged
{
    private ForwardRoom(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, Pieces<T> pieces)
        : base(settings, layout, block, ref pieces)
    {
        long n = block.Edges;
        ByEnvelope = pieces.Take(n);
        ByHarmonics = pieces.Take(n * settings.Components);
        TwoBody = pieces.Take(layout.TwoBody.Hidden > 0 ? n * layout.TwoBody.Output.Inputs : 0);
        Latents = new T*[layout.Layers.Length];
        for (int t = 0; t < Latents.Length; t++)
            Latents[t] = pieces.Take(layout.Layers[t].Latent.Hidden > 0 ? n * layout.Layers[t].Latent.Output.Inputs : 0);
        Numbers = pieces.Numbers;
    }

    public static ForwardRoom<T> Of(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, T* memory) => new(settings, layout, block, new Pieces<T>(memory));

    /// <summary>(edges) gradients of E</summary>
    public T* ByEnvelope { get; }

    /// <summary>(edges, components)</summary>
    public T* ByHarmonics { get; }

    /// <summary>What the output matrix of the two-body perceptron reads.</summary>
    public T* TwoBody { get; }

    /// <summary>The same of the layers' perceptrons.</summary>
    public T*[] Latents { get; }

    public long Numbers { get; }
}

/// <summary>Room of a backward pass. "Hat": gradients of S, beside those of E.</summary>
internal sealed unsafe class BackwardRoom<T> : AllegroRoom<T>
    where T : unmanaged
{
    private BackwardRoom(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, Pieces<T> pieces)
        : base(settings, layout, block, ref pieces)
    {
        long n = block.Edges, environments = (long)block.Atoms * settings.Components * layout.Channels;
        int layers = layout.Layers.Length;
        DistanceTangents = pieces.Take(n);
        EnvelopeTangents = pieces.Take(n);
        ScaleTangents = pieces.Take(n);
        ByEnergies = pieces.Take(n);
        Factors = pieces.Take(n);
        PlainFactors = pieces.Take(n);
        RadialTangents = pieces.Take(n * layout.TwoBody.First.Inputs);
        HarmonicTangents = pieces.Take(n * settings.Components);
        TwoBody = Hidden(layout.TwoBody, ref pieces);
        (X, FeatureTangents, EnvironmentTangents, Latents) = (new T*[layers], new T*[layers], new T*[layers], new T*[layers][]);
        long stride = 0;
        for (int t = 0; t < layers; t++)
        {
            long own = layout.Latent + layout.Layers[t].Scalars * layout.Channels;
            stride = Math.Max(stride, own);
            X[t] = pieces.Take(n * own);
            FeatureTangents[t] = pieces.Take(n * settings.Products[t].Left * layout.Channels);
            EnvironmentTangents[t] = pieces.Take(environments);
            Latents[t] = Hidden(layout.Layers[t].Latent, ref pieces);
        }
        ByX = pieces.Take(n * stride);
        ByXAbove = pieces.Take(n * stride);
        ByFeaturesHat = pieces.Take(n * MostComponents * layout.Channels);
        ByFeaturesBelowHat = pieces.Take(n * MostComponents * layout.Channels);
        ByEnvironmentsHat = pieces.Take(environments);
        ByWeightsHat = pieces.Take(n * MostWeights);
        ProductTangents = pieces.Take(ProductNumbers);
        ByProduct = pieces.Take(ProductNumbers);
        ByProductHat = pieces.Take(ProductNumbers);
        Mixed = pieces.Take(n * MostRead);
        MixedTangents = pieces.Take(n * MostRead);
        Hat = pieces.Take(n * MostRead);
        HatBelow = pieces.Take(n * MostRead);
        Bar = pieces.Take(n * MostRead);
        BarBelow = pieces.Take(n * MostRead);
        After = pieces.Take(n * MostHidden);
        Numbers = pieces.Numbers;

        T*[] Hidden(Perceptron of, ref Pieces<T> from)
        {
            var rows = new T*[of.Hidden];
            for (int i = 0; i < rows.Length; i++) rows[i] = from.Take(n * of.Width(i));
            return rows;
        }
    }

    public static BackwardRoom<T> Of(AllegroSettings settings, AllegroLayout layout, in ReceiverBlock block, T* memory) => new(settings, layout, block, new Pieces<T>(memory));

    /// <summary>(edges)</summary>
    public T* DistanceTangents { get; }

    public T* EnvelopeTangents { get; }

    public T* ScaleTangents { get; }

    /// <summary>(edges) gradients of S by an edge's energy, but for its layer's factors</summary>
    public T* ByEnergies { get; }

    public T* Factors { get; }

    public T* PlainFactors { get; }

    /// <summary>(edges, K)</summary>
    public T* RadialTangents { get; }

    /// <summary>(edges, components)</summary>
    public T* HarmonicTangents { get; }

    /// <summary>Tangents of hidden layers before activation.</summary>
    public T*[] TwoBody { get; }

    public T*[][] Latents { get; }

    /// <summary>Tangents of latent features and scalars, of features and of environments, of each layer.</summary>
    public T*[] X { get; }

    public T*[] FeatureTangents { get; }

    public T*[] EnvironmentTangents { get; }

    public T* ByX { get; }

    public T* ByXAbove { get; }

    public T* ByFeaturesHat { get; }

    public T* ByFeaturesBelowHat { get; }

    public T* ByEnvironmentsHat { get; }

    public T* ByWeightsHat { get; }

    public T* ProductTangents { get; }

    public T* ByProduct { get; }

    public T* ByProductHat { get; }

    /// <summary>(edges, what an output matrix reads)</summary>
    public T* Mixed { get; }

    public T* MixedTangents { get; }

    public T* Hat { get; }

    public T* HatBelow { get; }

    public T* Bar { get; }

    public T* BarBelow { get; }

    /// <summary>Activated values of a hidden layer.</summary>
    public T* After { get; }

    public long Numbers { get; }
}
